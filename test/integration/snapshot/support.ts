import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type pg from 'pg'
import { expect, onTestFinished } from 'vitest'
import { createDirectoryStore } from '../../../lambda/adapters/directory-store.ts'
import { openClient, type Endpoint } from '../../../lambda/adapters/postgres.ts'
import type { ErrorReport } from '../../../lambda/contract.ts'
import { LockstepError } from '../../../lambda/errors.ts'
import { silentLog } from '../../../lambda/log.ts'
import { qualified } from '../../../lambda/snapshot/catalog.ts'
import { openConsistentView } from '../../../lambda/snapshot/consistent-view.ts'
import { dumpSchema } from '../../../lambda/snapshot/pg-dump.ts'
import { sequenceScript } from '../../../lambda/snapshot/sequences.ts'
import { prepareSession, withSessions } from '../../../lambda/snapshot/session.ts'
import type { SnapshotContext } from '../../../lambda/snapshot/snapshot.ts'
import type { SnapshotStore } from '../../../lambda/snapshot/store.ts'
import { onServer, type TestDatabase } from '../../support/database.ts'

/** A directory that is removed when the test has finished. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-test-snapshots-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

export async function directoryStore(): Promise<SnapshotStore> {
  return createDirectoryStore(await temporaryDirectory())
}

/** Everything that snapshots and restores of the database need; `as` is another user, with this password. */
export function contextFor(
  database: TestDatabase,
  store: SnapshotStore,
  more: Partial<SnapshotContext> & { readonly as?: Pick<Endpoint, 'user' | 'password'> } = {},
): SnapshotContext {
  const { as, ...rest } = more
  const endpoint = async (): Promise<Endpoint> => ({ ...(await database.endpoint()), ...as })
  return {
    openClient: async (name) =>
      openClient({
        endpoint,
        applicationName: 'lockstep-snapshot',
        budgetMs: 0,
        ...(name === undefined ? {} : { database: name }),
      }),
    store,
    log: silentLog,
    now: () => new Date(),
    ...rest,
  }
}

export interface Content {
  /** As pg_dump writes it. */
  readonly schema: string
  /** Per table: number of rows and a hash that does not depend on their order. */
  readonly tables: Readonly<Record<string, string>>
  readonly sequences: string
  /** Per large object: length, hash, owner, permissions, comment. */
  readonly largeObjects: readonly unknown[]
}

const LARGE_OBJECTS = `
  SELECT m.oid::text AS oid, length(lo_get(m.oid)) AS bytes, md5(lo_get(m.oid)) AS hash,
         pg_get_userbyid(m.lomowner)::text AS owner, m.lomacl::text AS permissions,
         obj_description(m.oid, 'pg_largeobject') AS comment
    FROM pg_largeobject_metadata m ORDER BY m.oid`

/**
 * By the table's oid, in the order of their names: pg_dump puts a column that a parent got late before the child's own.
 */
async function columnsOf(client: pg.Client): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ oid: string; columns: string }>(
    `SELECT attrelid::text AS oid, string_agg(quote_ident(attname), ', ' ORDER BY attname) AS columns
       FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped GROUP BY attrelid`,
  )
  return new Map(rows.map(({ oid, columns }) => [oid, columns]))
}

/** All that a database holds, for comparison. */
export async function contentOf(database: TestDatabase): Promise<Content> {
  const { openClient: open } = contextFor(database, await directoryStore())
  return withSessions({ openClient: open }, async (open) => {
    const client = await open()
    await prepareSession(client)
    const view = await openConsistentView(client)
    const columns = await columnsOf(client)
    const tables: Record<string, string> = {}
    for (const table of view.tables) {
      const result = await client.query<{ digest: string }>(
        `SELECT count(*) || ':' || coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') AS digest
           FROM (SELECT ${columns.get(table.oid) ?? ''} FROM ONLY ${qualified(table)}) AS t`,
      )
      tables[`${table.schema}.${table.name}`] = result.rows[0]?.digest ?? ''
    }
    const schema: string[] = []
    for (const section of ['pre-data', 'post-data'] as const) {
      schema.push(await dumpSchema(await open(), section, view.snapshotId))
    }
    const sequences = await sequenceScript(client, view.sequences)
    const largeObjects = (await client.query<Record<string, unknown>>(LARGE_OBJECTS)).rows
    return { schema: schema.join('\n'), tables, sequences, largeObjects }
  })
}

/** Drops, when the test has finished, what a restore kept. */
export function dropLater(name: string | null): string {
  if (name === null) throw new Error('nothing was replaced')
  onTestFinished(() => onServer(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`))
  return name
}

/** The names of all databases that belong to a test's database: itself, half-made copies, replaced ones. */
export async function databasesOf(database: TestDatabase): Promise<readonly string[]> {
  const rows = await database.rows(
    `SELECT datname FROM pg_database WHERE datname LIKE '${database.name}%' ORDER BY datname`,
  )
  return rows.map((row) => String(row['datname']))
}

/**
 * Keeps the snapshots and restores of other tests, which sweep the whole server, from the half-made copies of this
 * database, as the restore does that makes one. Resolves with what gives them up.
 */
export async function spareCopies(database: TestDatabase): Promise<() => Promise<void>> {
  const session = await database.connect()
  await session.execute(
    `SELECT pg_advisory_lock(1280004946, hashtext(datname)) FROM pg_database WHERE starts_with(datname, '${database.name}_restoring_')`,
  )
  return () => session.close()
}

/** The report of the error that the work ends in; any other end is a failure of the test. */
export async function reportOfFailure(work: Promise<unknown>): Promise<ErrorReport> {
  const error: unknown = await work.then(
    () => null,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(LockstepError)
  const { report } = error as LockstepError
  expect(report.state).toMatch(/\.$/)
  expect(report.remedy).toMatch(/\.$/)
  return report
}

/** A store that does something before the first write or read of a key that ends like this. */
export function interruptedStore(
  store: SnapshotStore,
  at: { readonly write?: string; readonly read?: string },
  action: () => Promise<unknown>,
): SnapshotStore {
  let done = false
  const once = async (matches: boolean): Promise<void> => {
    if (!matches || done) return
    done = true
    await action()
  }
  return {
    ...store,
    write: async (key, body) => {
      await once(at.write !== undefined && key.endsWith(at.write))
      return store.write(key, body)
    },
    read: async (key) => {
      await once(at.read !== undefined && key.endsWith(at.read))
      return store.read(key)
    },
  }
}

/** Ends the sessions of snapshots and restores on the database, as a failover does. Resolves with their number. */
export async function cutSessions(database: TestDatabase, which = 'true'): Promise<number> {
  const rows = await database.rows(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'lockstep-snapshot' AND datname LIKE '${database.name}%' AND ${which}`,
  )
  return rows.length
}

/** Waits until the query returns a row. */
export async function until(database: TestDatabase, sql: string): Promise<void> {
  await expect.poll(async () => (await database.rows(sql)).length, { timeout: 10_000 }).toBeGreaterThan(0)
}

/** A role that may log in, with a password that no output may show; dropped when the test has finished. */
export async function createRole(name: string, options = ''): Promise<Pick<Endpoint, 'user' | 'password'>> {
  await onServer(`CREATE ROLE ${name} LOGIN ${options} PASSWORD 'canary-password'`)
  onTestFinished(() => onServer(`DROP ROLE ${name}`))
  return { user: name, password: 'canary-password' }
}
