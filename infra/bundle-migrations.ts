import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { invalidMigration } from '../lambda/engine/migration/invalid.ts'
import { POLICY_FILE, readPolicyFile } from '../lambda/engine/policy/policy-file.ts'
import type { Migration } from '../lambda/engine/migration/migration.ts'
import { messageOf } from '../lambda/errors.ts'
import type { BundleFile } from './bundle-runtime.ts'
import { ESBUILD_OPTIONS } from './esbuild-options.ts'
import type { MigrationSet } from './migration-set.ts'

/** The migrations' folder inside the bundle. */
export const MIGRATIONS_FOLDER = 'migrations'

/**
 * The manifest, each migration's source, and the compiled module of each TypeScript one.
 *
 * @throws LockstepError `MIGRATION_INVALID` for a TypeScript migration that cannot be compiled.
 */
export function bundleMigrations({ directory, ordered, repeatables, manifest }: MigrationSet): readonly BundleFile[] {
  const manifestFile = { path: 'manifest.json', contents: `${JSON.stringify(manifest, null, 2)}\n` }
  const migrations = [...ordered.map(({ migration }) => migration), ...repeatables]
  const files = migrations.flatMap((migration): readonly BundleFile[] => {
    const source = { path: migration.file, contents: migration.source }
    return migration.kind === 'sql' ? [source] : [source, compile(directory, migration)]
  })
  return [manifestFile, ...policyFile(directory), ...files].map(({ path, contents }) => ({
    path: join(MIGRATIONS_FOLDER, path),
    contents,
  }))
}

/** The switches that stand beside the migrations go with them. @throws LockstepError `CONFIG_INVALID`. */
function policyFile(directory: string): readonly BundleFile[] {
  const { settings } = readPolicyFile(directory)
  if (Object.keys(settings).length === 0) return []
  return [{ path: POLICY_FILE, contents: `${JSON.stringify(settings, null, 2)}\n` }]
}

function compile(directory: string, { id, file }: Migration): BundleFile {
  try {
    const { outputFiles } = buildSync({
      ...ESBUILD_OPTIONS,
      absWorkingDir: directory,
      entryPoints: [join(directory, file)],
      outdir: 'out',
    })
    return { path: `${id}.mjs`, contents: outputFiles[0]?.contents ?? '' }
  } catch (error) {
    throw invalidMigration({
      migration: id,
      file,
      message: `it cannot be compiled: ${messageOf(error)}.`,
      remedy: 'Correct the file: everything that it imports must be installed where the app is synthesized.',
    })
  }
}
