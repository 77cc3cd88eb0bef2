import type { Fields } from './fields.ts'

/** What `$$` gives: of a map's item, its value and its index. */
export interface ContextObject {
  readonly Map?: { readonly Item: { readonly Value: unknown; readonly Index: number } }
}

/** Reads `$.a.b` of the data, or `$$.Map.Item.Value` of the context. A path that leads nowhere is an error. */
export function read(path: string, data: unknown, context: ContextObject = {}): unknown {
  const [root, ...names] = path.split('.')
  let value: unknown = root === '$$' ? context : data
  for (const name of names) {
    if (typeof value !== 'object' || value === null || !(name in value))
      throw new Error(`The path ${path} leads nowhere`)
    value = (value as Fields)[name]
  }
  return value
}

/** Parameters with what their paths say: `"key.$": "$.a"` becomes `key`. */
export function fill(template: Fields, data: unknown, context: ContextObject = {}): Fields {
  const entries = Object.entries(template).map(([key, value]) =>
    key.endsWith('.$') ? [key.slice(0, -2), read(String(value), data, context)] : [key, value],
  )
  return Object.fromEntries(entries) as Fields
}

/** A state's output: its input, with the result where it belongs. @param path - null: nowhere */
export function place(path: string | null, input: unknown, result: unknown): unknown {
  if (path === null) return input
  return path === '$' ? result : { ...(input as Fields), [path.slice(2)]: result }
}
