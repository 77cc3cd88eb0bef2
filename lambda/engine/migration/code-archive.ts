import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checksumOf } from './migration-directory.ts'
import type { Step } from '../plan/step.ts'

/** Keeps compiled TypeScript migrations by the sha256 of their code, for a revert by code that does not have them. */
export interface CodeArchive {
  readonly put: (checksum: string, code: string) => Promise<void>
  /** Null when it is not there. */
  readonly get: (checksum: string) => Promise<string | null>
}

/** Archives what these steps apply, before their first statement. */
export async function archiveCode(archive: CodeArchive | null, steps: readonly Step[]): Promise<void> {
  if (archive === null) return
  for (const { direction, migration } of steps) {
    if (direction === 'up' && migration.kind === 'ts' && migration.compiled !== null) {
      await archive.put(migration.compiled.checksum, migration.compiled.code)
    }
  }
}

/**
 * Loads an archived module, if its code is what was archived.
 *
 * @throws Error when it is not there, or is not what it was
 */
export async function loadArchived(archive: CodeArchive, checksum: string): Promise<Readonly<Record<string, unknown>>> {
  const code = await archive.get(checksum)
  if (code === null) throw new Error(`its compiled code (${checksum.slice(0, 12)}) is not in the archive`)
  if (checksumOf(code) !== checksum)
    throw new Error(`its compiled code (${checksum.slice(0, 12)}) was changed in the archive`)
  // A file, because compiled code finds Node's require by its own URL.
  const path = join(tmpdir(), `lockstep-${checksum}.mjs`)
  await writeFile(path, code, { mode: 0o600 })
  return createRequire(path)(path) as Readonly<Record<string, unknown>>
}
