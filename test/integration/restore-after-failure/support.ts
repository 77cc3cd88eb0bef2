import { expect, onTestFinished } from 'vitest'
import { perform } from '../../../lambda/actions.ts'
import type { Config } from '../../../lambda/config.ts'
import type { RunResult } from '../../../lambda/contract.ts'
import type { Lockstep } from '../../../lambda/lockstep.ts'
import { createDatabase, databaseAt, onServer, type TestDatabase } from '../../support/database.ts'
import { lockstepFor } from '../../support/lockstep.ts'
import { writeFiles } from '../../support/source-files.ts'
import { until } from '../../support/wait.ts'
import { contentOf, createRole, databasesOf, dropLater, temporaryDirectory, type Content } from '../snapshot/support.ts'

export const OLD = {
  '1_items.sql':
    "-- migrate:up\nCREATE TABLE items (id int PRIMARY KEY, name text);\nINSERT INTO items VALUES (1, 'one'), (2, 'two');\n-- migrate:down\nDROP TABLE items;\n",
}
export const WAITING = { lockTimeoutMs: 30_000, connectTimeoutMs: 5000 }
/** Commits, and cannot be reverted. */
export const OUTSIDE = {
  '2_outside.sql':
    "-- migrate:up transaction:false\nUPDATE items SET name = 'lost';\nCREATE INDEX CONCURRENTLY items_name ON items (name);\n",
}
export const FAILING = { '3_failing.sql': '-- migrate:up\nCREATE TABLE later (id int);\nSELECT nothing;\n' }

interface Setup {
  readonly database: TestDatabase
  readonly store: string
  readonly before: Content
  readonly fingerprintNow: () => Promise<Content>
  readonly lockstep: (files: Readonly<Record<string, string>>, overrides?: Partial<Config>) => Promise<Lockstep>
}

/** A database with the first migration, and a way to run others on it that restores what fails. */
export async function migrated(): Promise<Setup> {
  const database = await createDatabase()
  const store = await temporaryDirectory()
  const lockstep: Setup['lockstep'] = async (files, overrides = {}) =>
    lockstepFor(database.url, await writeFiles({ ...OLD, ...files }), {
      snapshots: { location: store, kmsKeyId: null },
      snapshotMode: 'logical',
      onFailure: 'restore',
      ...overrides,
    })
  await perform(await lockstep({}), { action: 'up' })
  dropAllLater(database)
  const fingerprintNow = (): Promise<Content> => fingerprint(database)
  return { database, store, before: await fingerprintNow(), fingerprintNow, lockstep }
}

function dropAllLater({ name }: TestDatabase): void {
  onTestFinished(async () => {
    const server = databaseAt('postgres')
    for (const kept of await databasesOf({ ...server, name }))
      await onServer(`DROP DATABASE IF EXISTS "${kept}" WITH (FORCE)`)
  })
}

/** All that a database holds, but for the record of its runs. */
async function fingerprint(database: TestDatabase): Promise<Content> {
  const content = await contentOf(database)
  const { 'lockstep.runs': _runs, ...tables } = content.tables
  return { ...content, schema: content.schema.replaceAll(/^\\(un)?restrict .*\n/gm, ''), tables }
}

export async function expectRestored({ database, before }: Setup, result: RunResult): Promise<string> {
  expect(result).toMatchObject({ status: 'failed', rolledBack: true, applied: [], reverted: [], current: '1_items' })
  const replaced = /What was written meanwhile is in "(.+)"\.$/.exec(result.error?.state ?? '')?.[1] ?? null
  expect(result.error?.state).toBe(
    `The snapshot taken before the run was restored: the database is as it was before, at 1_items. What was written meanwhile is in "${replaced}".`,
  )
  expect(await databasesOf(database)).toEqual([database.name, dropLater(replaced)])
  expect(await fingerprint(database)).toEqual(before)
  expect(await recordOf(database, result)).toEqual({
    status: 'failed',
    state: result.error?.state,
    snapshot_uri: result.snapshot,
    details: expect.objectContaining({ restored: true, replaced, rolledBack: true }),
  })
  await expectLockFree(database)
  return replaced ?? ''
}

export async function recordOf(database: TestDatabase, { runId }: RunResult): Promise<unknown> {
  const [row] = await database.rows(
    `SELECT status, error ->> 'state' AS state, snapshot_uri, details FROM lockstep.runs WHERE run_id = '${runId}'`,
  )
  return row
}

export async function expectLockFree(database: TestDatabase): Promise<void> {
  const held = `SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE l.locktype = 'advisory' AND d.datname LIKE '${database.name}%'`
  await until(async () => (await database.rows(held)).length === 0)
}

/** A composition in which something happens when the restore begins, or before it gets a session in a database. */
export function interfered(lockstep: Lockstep, before: (database: string | undefined) => Promise<unknown>): Lockstep {
  const open = lockstep.snapshots()
  return {
    ...lockstep,
    snapshots: () => ({
      ...open,
      openClient: async (name) => {
        await before(name)
        return open.openClient(name)
      },
    }),
  }
}

/** The database, and what is in it, for a user that is no superuser; a composition that connects as that user. */
export async function ownedBy({ database, lockstep }: Setup, options: string) {
  const role = await createRole(`${database.name}_owner`, options)
  dropAllLater(database)
  await onServer(`ALTER DATABASE ${database.name} OWNER TO ${role.user}`)
  for (const object of ['SCHEMA public', 'SCHEMA lockstep', 'TABLE items', 'TABLE lockstep.runs'])
    await database.rows(`ALTER ${object} OWNER TO ${role.user}`)
  for (const table of ['migrations', 'progress', 'structure'])
    await database.rows(`ALTER TABLE lockstep.${table} OWNER TO ${role.user}`)
  const url = new URL(database.url)
  Object.assign(url, { username: role.user, password: role.password })
  const own = await lockstep({ ...OUTSIDE, ...FAILING }, { database: { kind: 'url', url: url.href } })
  return { user: role.user, own }
}

export const SLOW = { '3_failing.sql': '-- migrate:up\nSELECT pg_sleep(1);\nSELECT nothing;\n' }

/** Waits until a run has come to what fails in {@link SLOW}. */
export async function untilSlow(database: TestDatabase): Promise<void> {
  const asleep = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT pg_sleep(1)'"
  await until(async () => (await database.rows(asleep)).length > 0)
}
