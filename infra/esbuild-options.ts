import type { BuildOptions } from 'esbuild'

/**
 * Gives an ES module what the CommonJS packages inside it expect. WebAssembly loaders look beside `__dirname`, so
 * it is the bundle's own directory. The names are long because esbuild does not know that they are taken.
 */
const COMMONJS_BANNER = [
  "import { createRequire as lockstepCreateRequire } from 'node:module'",
  "import { dirname as lockstepDirname } from 'node:path'",
  "import { fileURLToPath as lockstepFileURLToPath } from 'node:url'",
  'const require = lockstepCreateRequire(import.meta.url)',
  'const __filename = lockstepFileURLToPath(import.meta.url)',
  'const __dirname = lockstepDirname(__filename)',
].join(';')

/** What every module of the bundle has in common. Reads no tsconfig: the same inputs give the same bytes anywhere. */
export const ESBUILD_OPTIONS = {
  bundle: true,
  write: false,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  outExtension: { '.js': '.mjs' },
  banner: { js: `${COMMONJS_BANNER};` },
  tsconfigRaw: {},
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'silent',
  // Error names in the log and in a report are what a person searches for.
  keepNames: true,
  minify: true,
} as const satisfies BuildOptions
