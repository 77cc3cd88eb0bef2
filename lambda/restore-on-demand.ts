import { LockstepError, UNTOUCHED } from './errors.ts'
import type { Lockstep } from './lockstep.ts'
import type { MissingRoles, RestoreResult } from './snapshot-contract.ts'
import { refuseStorageSnapshot } from './snapshot/storage-restore.ts'
import { restoreSnapshot } from './snapshot/restore.ts'
import { restoreTables } from './snapshot/restore-tables.ts'

/** What a person asks of a restore. */
export interface RestoreRequest {
  readonly uri: string
  /** A new database. @default the original, which is replaced and kept under a dated name */
  readonly into?: string
  /** `schema.table`: only these, beside the originals in the configured database. @default the whole database */
  readonly tables?: readonly string[]
  /** The new schema that `tables` are restored into. @default `<schema>_restored_<time>` for each schema */
  readonly intoSchema?: string
  /** @default 'fail' */
  readonly missingRoles?: MissingRoles
  /** How many sessions work at the same time. @default the configured number */
  readonly workers?: number
}

/** @throws LockstepError `RESTORE_FAILED`, `CONFIG_INVALID`, `DATABASE_UNREACHABLE`. */
export async function restoreOnDemand(lockstep: Lockstep, request: RestoreRequest): Promise<RestoreResult> {
  const { uri, into, tables, intoSchema, missingRoles, workers } = request
  refuseStorageSnapshot(uri)
  refuseContradiction(request)
  const configured = lockstep.snapshots()
  const context = workers === undefined ? configured : { ...configured, workers }
  if (tables !== undefined) {
    return restoreTables(context, { uri, tables, ...(intoSchema === undefined ? {} : { intoSchema }) })
  }
  return restoreSnapshot(context, {
    uri,
    ...(into === undefined ? {} : { into }),
    ...(missingRoles === undefined ? {} : { missingRoles }),
  })
}

function refuseContradiction({ into, tables, intoSchema, missingRoles }: RestoreRequest): void {
  if (tables === undefined) {
    if (intoSchema === undefined) return
    throw contradiction('a schema is given to restore into, but no tables', 'Name the tables, or give "into".')
  }
  const other = into === undefined ? (missingRoles === undefined ? null : 'missingRoles') : 'into'
  if (other === null) return
  throw contradiction(
    `both "tables" and "${other}" are given`,
    'Give one of them: tables are restored into a schema of the configured database, and belong to whoever restores them.',
  )
}

function contradiction(what: string, remedy: string): LockstepError {
  return new LockstepError({
    code: 'CONFIG_INVALID',
    message: `Nothing can be restored like this: ${what}.`,
    state: UNTOUCHED,
    remedy,
  })
}
