import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MigrationManifest } from '../../manifest.ts'
import type { Analysis } from '../policy/analysis.ts'
import { LockstepError, messageOf, UNTOUCHED } from '../../errors.ts'
import { readMigrationFile } from './migration-directory.ts'
import type { Migration } from './migration.ts'

/** The manifest's name in a bundle's migrations directory. */
export const MANIFEST_FILE = 'manifest.json'

/**
 * Reads the migrations that were bundled at synth, checking each source against the manifest.
 *
 * @throws LockstepError `CONFIG_INVALID` when the bundle is not whole, `MIGRATION_INVALID` for a file.
 */
export function readMigrationBundle(directory: string): readonly Migration[] {
  return readManifest(directory).migrations.map((entry) => {
    const migration = readMigrationFile(directory, entry.file, { module: entry.module })
    if (migration.checksum === entry.checksum) return migration
    throw brokenBundle(`${entry.file} does not have the checksum that was recorded at synth`)
  })
}

/** What was found of the bundled migrations before synth. @throws LockstepError `CONFIG_INVALID`. */
export function readBundledAnalysis(directory: string): Analysis {
  return Object.fromEntries(
    readManifest(directory).migrations.flatMap(({ id, analysis }) => (analysis === undefined ? [] : [[id, analysis]])),
  )
}

function readManifest(directory: string): MigrationManifest {
  try {
    return JSON.parse(readFileSync(join(directory, MANIFEST_FILE), 'utf8')) as MigrationManifest
  } catch (error) {
    throw brokenBundle(`its manifest cannot be read (${messageOf(error)})`)
  }
}

function brokenBundle(problem: string): LockstepError {
  return new LockstepError({
    code: 'CONFIG_INVALID',
    message: `The function's bundle of migrations is not whole: ${problem}.`,
    state: UNTOUCHED,
    remedy: 'Synthesize and deploy the stack again.',
  })
}
