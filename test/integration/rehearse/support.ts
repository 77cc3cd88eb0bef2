import { randomUUID } from 'node:crypto'
import { inject, onTestFinished } from 'vitest'
import type { Rehearsal, RehearsedPass } from '../../../cli/rehearse/rehearsal.ts'
import { rehearse, type RehearseOptions } from '../../../cli/rehearse/rehearse.ts'
import { perform } from '../../../lambda/actions.ts'
import type { Config } from '../../../lambda/config.ts'
import type { Lockstep } from '../../../lambda/lockstep.ts'
import { createDatabase, onServer, type TestDatabase } from '../../support/database.ts'
import { lockstepFor } from '../../support/lockstep.ts'
import { writeFiles } from '../../support/source-files.ts'

/** The first migration of a shop. */
export const SHOP = `-- migrate:up
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint REFERENCES users, total int);
-- migrate:down
DROP TABLE orders; DROP TABLE users;
`
/** What is in it. */
const ROWS = `INSERT INTO users (name) SELECT 'n' || i FROM generate_series(1, 300) i;
INSERT INTO orders (user_id, total) SELECT 1 + i % 300, i FROM generate_series(1, 3000) i; ANALYZE`

/** A migration that rewrites a table and builds an index while that is locked. */
export const TOTAL = `-- migrate:require
SELECT reltuples = 3000 FROM pg_class WHERE oid = 'orders'::regclass;
-- migrate:up
-- what the shop owes
ALTER TABLE orders ALTER total TYPE bigint;
CREATE INDEX orders_total ON orders (total);
-- migrate:verify
SELECT last_value = 3000 FROM orders_id_seq;
-- migrate:down
DROP INDEX orders_total;
ALTER TABLE orders ALTER total TYPE int;
`

interface Shop {
  readonly database: TestDatabase
  readonly store: string
  readonly lockstep: (pending: Readonly<Record<string, string>>, more?: Partial<Config>) => Promise<Lockstep>
}

/** A database with a shop, at its first migration. */
export async function shopWith(rows = ROWS): Promise<Shop> {
  const database = await createDatabase()
  const store = await writeFiles({})
  const lockstep: Shop['lockstep'] = async (pending, more = {}) => {
    const directory = await writeFiles({ '1_shop.sql': SHOP, ...pending })
    return lockstepFor(database.url, directory, { snapshots: { location: store, kmsKeyId: null }, ...more })
  }
  await perform(await lockstep({}), { action: 'up' })
  await database.rows(rows)
  return { database, store, lockstep }
}

/** Rehearses on the server of the tests. */
export function rehearsed(lockstep: Lockstep, options: Partial<RehearseOptions> = {}): Promise<Rehearsal> {
  return rehearse(lockstep, {
    snapshot: null,
    snapshotOf: null,
    takesSnapshot: true,
    major: null,
    shadowUrl: inject('serverUrl'),
    keep: false,
    signal: new AbortController().signal,
    ...options,
  })
}

/** `up succeeded` of each pass. */
export function told({ passes }: Rehearsal): readonly string[] {
  return passes.map(({ pass, status, reason, error }) => [pass, status, reason ?? error?.code ?? ''].join(' ').trim())
}

export function differencesOf({ comparisons }: Rehearsal): readonly string[] {
  return comparisons.flatMap(({ differences }) => differences)
}

export function passOf({ passes }: Rehearsal, name: RehearsedPass['pass']): RehearsedPass {
  const found = passes.find(({ pass }) => pass === name)
  if (found === undefined) throw new Error(`there is no pass "${name}"`)
  return found
}

/** A role that may do nothing yet, and the URL of the database for it. */
export async function readerOf(database: TestDatabase): Promise<{ readonly role: string; readonly url: string }> {
  const role = `reader_${randomUUID().slice(0, 8)}`
  await onServer(`CREATE ROLE ${role} LOGIN PASSWORD 'read-only-secret'`)
  onTestFinished(() => onServer(`DROP ROLE ${role}`))
  const url = new URL(database.url)
  Object.assign(url, { username: role, password: 'read-only-secret' })
  return { role, url: url.href }
}
