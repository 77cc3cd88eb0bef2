import type pg from 'pg'
import { LockstepError, UNTOUCHED } from '../errors.ts'
import { MAINTENANCE_DATABASES } from './maintenance.ts'
import { datedDatabaseName, MAX_NAME_BYTES } from './names.ts'

/** The names of the databases that a restore has to do with. */
export interface RestorePlan {
  /** Where the snapshot is put together; it exists only while the restore runs. */
  readonly staging: string
  /** The name that the restored database ends up with. */
  readonly target: string
  /** The name under which the database that now has the target's name is kept; null when there is none. */
  readonly replaced: string | null
}

export interface RestoreRequest {
  readonly uri: string
  /** The database that the snapshot was taken of. */
  readonly original: string
  readonly into: string | undefined
  /** The database that the configuration names; null when it does not exist. */
  readonly connected: string | null
  readonly now: Date
}

/**
 * Decides what a restore makes and replaces.
 *
 * @param maintenance Any session on the server.
 * @throws LockstepError `RESTORE_FAILED` when `into` exists, `CONFIG_INVALID` when another database than the
 *   configured one would be replaced.
 */
export async function planRestore(maintenance: pg.Client, request: RestoreRequest): Promise<RestorePlan> {
  const names = await databaseNames(maintenance)
  const target = request.into ?? request.original
  if (request.into !== undefined && names.has(target)) throw occupied(target)
  if (names.has(target) && !mayReplace(request, target)) throw otherDatabase(request, target)
  return {
    staging: freeName(names, target, 'restoring', request.now),
    target,
    replaced: names.has(target) ? freeName(names, target, 'replaced', request.now) : null,
  }
}

/** A name for a database that exists only for a while. @param client - any session on the server */
export async function freeStagingName(client: pg.Client, base: string, now: Date): Promise<string> {
  return freeName(await databaseNames(client), base, 'restoring', now)
}

/** @throws LockstepError `CONFIG_INVALID` when PostgreSQL would not take the name as it is. */
export function checkDatabaseName(name: string): void {
  if (name !== '' && !name.includes('\0') && Buffer.byteLength(name) <= MAX_NAME_BYTES) return
  throw new LockstepError({
    code: 'CONFIG_INVALID',
    message: `"${name}" cannot be a database's name: it has ${Buffer.byteLength(name)} bytes, and 1 to ${MAX_NAME_BYTES} are possible.`,
    state: UNTOUCHED,
    remedy: 'Give another name to restore into.',
  })
}

async function databaseNames(client: pg.Client): Promise<ReadonlySet<string>> {
  const result = await client.query<{ name: string }>('SELECT datname::text AS name FROM pg_catalog.pg_database')
  return new Set(result.rows.map(({ name }) => name))
}

// Whoever is connected to one database of a server does not expect a restore to replace another.
function mayReplace({ connected }: RestoreRequest, target: string): boolean {
  return connected === target || (connected !== null && MAINTENANCE_DATABASES.includes(connected))
}

function freeName(names: ReadonlySet<string>, base: string, word: 'restoring' | 'replaced', now: Date): string {
  let date = now
  while (names.has(datedDatabaseName(base, word, date))) date = new Date(date.getTime() + 1000)
  return datedDatabaseName(base, word, date)
}

function occupied(into: string): LockstepError {
  return new LockstepError({
    code: 'RESTORE_FAILED',
    message: `Database "${into}" exists already, and "into" never replaces one.`,
    state: UNTOUCHED,
    remedy: 'Give a name that is not taken, or leave "into" away to replace the original, which is kept as well.',
  })
}

function otherDatabase({ uri, connected }: RestoreRequest, target: string): LockstepError {
  const here = connected === null ? 'a database that does not exist' : `"${connected}"`
  return new LockstepError({
    code: 'CONFIG_INVALID',
    message: `${uri} is a snapshot of "${target}", but the configuration names ${here}.`,
    state: UNTOUCHED,
    remedy: `Connect to "${target}" to replace it, or give a name with "into" to restore beside it.`,
  })
}
