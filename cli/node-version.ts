/**
 * What to tell somebody whose Node is too old, or null. TypeScript migrations are loaded as they are from 22.18 on.
 * Imports nothing, so that the Node that is too old can load it. The range is that of `engines` in package.json.
 */
export function unsupportedNode(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major >= 24 || (major === 22 && minor >= 18)) return null
  return `Lockstep needs Node 24 or later, or 22.18 or later of 22; this is Node ${version}. Update Node and try again.`
}
