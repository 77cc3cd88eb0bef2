import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { ESBUILD_OPTIONS } from './esbuild-options.ts'

/** A file of the bundle, by its path inside it. */
export interface BundleFile {
  readonly path: string
  readonly contents: string | Uint8Array
}

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const LOCAL_REQUIRE = createRequire(import.meta.url)
/** Every module is of this one's kind: `.ts` in the sources, `.js` in the package. */
const EXTENSION = extname(import.meta.url)

const ENTRIES = {
  index: `lambda/handler${EXTENSION}`,
  'pg-dump-worker': `lambda/snapshot/pg-dump-worker${EXTENSION}`,
}

/** Found at run time beside the module that loads it. */
const WEB_ASSEMBLY = [
  { package: '@electric-sql/pglite-tools', file: 'pg_dump.wasm' },
  { package: 'libpg-query', file: 'libpg-query.wasm' },
]

/** Modules and WebAssembly that run without `node_modules`. `entries` maps a module's name to its source. */
export function bundleModules(entries: Readonly<Record<string, string>>): readonly BundleFile[] {
  const { outputFiles } = buildSync({
    ...ESBUILD_OPTIONS,
    absWorkingDir: ROOT,
    entryPoints: entries,
    outdir: 'out',
    alias: { '@rushstack/ts-command-line': join(ROOT, 'infra', `ts-command-line-stub${EXTENSION}`) },
    external: ['pg-native'],
  })
  return [
    ...outputFiles.map(({ path, contents }) => ({ path: basename(path), contents })),
    ...WEB_ASSEMBLY.map((module) => ({
      path: module.file,
      contents: readFileSync(join(dirname(LOCAL_REQUIRE.resolve(module.package)), module.file)),
    })),
  ]
}

let runtime: readonly BundleFile[] | undefined

/** The function's own code: equal for every `DatabaseMigration` of an app, so it is built once per process. */
export function bundleRuntime(): readonly BundleFile[] {
  runtime ??= bundleModules(ENTRIES)
  return runtime
}
