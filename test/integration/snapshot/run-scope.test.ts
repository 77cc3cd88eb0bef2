import { expect, test } from 'vitest'
import { perform } from '../../../lambda/actions.ts'
import type { Config } from '../../../lambda/config.ts'
import { silentLog, type LogFields } from '../../../lambda/log.ts'
import { parseManifest, type SnapshotManifest } from '../../../lambda/snapshot/manifest.ts'
import { prefixOf } from '../../../lambda/snapshot/snapshot-uri.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { lockstepFor } from '../../support/lockstep.ts'
import { writeFiles } from '../../support/source-files.ts'
import { directoryStore } from './support.ts'

const BASE = {
  '1_base.sql': `-- migrate:up
    CREATE TABLE customers (id int PRIMARY KEY);
    CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers ON DELETE CASCADE);
    CREATE TABLE big AS SELECT generate_series(1, 100) AS n;
    INSERT INTO customers VALUES (1), (2); INSERT INTO orders VALUES (1, 1);`,
}

interface Ran {
  readonly manifest: SnapshotManifest
  readonly told: readonly (readonly [string, LogFields])[]
}

/** Runs the base and then, with snapshots of this kind, one more migration. */
async function runWith(database: TestDatabase, migration: string, config: Partial<Config>): Promise<Ran> {
  const store = await directoryStore()
  await perform(lockstepFor(database.url, await writeFiles(BASE)), { action: 'up' })
  const told: [string, LogFields][] = []
  const tell = (message: string, fields: LogFields = {}): void => void told.push([message, fields])
  const lockstep = lockstepFor(
    database.url,
    await writeFiles({ ...BASE, '2_next.sql': `-- migrate:up\n${migration}` }),
    { snapshots: { location: new URL(store.uri).pathname, kmsKeyId: null }, snapshotMode: 'logical', ...config },
    { ...silentLog, info: tell, warn: tell },
  )
  const result = await perform(lockstep, { action: 'up' })
  expect(result).toMatchObject({ status: 'succeeded', applied: ['2_next'] })
  const key = `${prefixOf(store, String(result.snapshot))}/manifest.json`
  const text = Buffer.concat(await (await store.read(key)).toArray()).toString()
  return { manifest: parseManifest(text), told }
}

function rowsIn({ tables }: SnapshotManifest): Readonly<Record<string, number>> {
  return Object.fromEntries(tables.filter(({ omitted }) => omitted === null).map(({ name, rows }) => [name, rows]))
}

test('a run copies the rows of what it can touch, and those of the history, and says why', async () => {
  const { manifest, told } = await runWith(await createDatabase(), 'DELETE FROM customers WHERE id = 1', {
    snapshotScope: { kind: 'affected' },
    snapshotExclude: ['public.orders'],
  })

  expect(rowsIn(manifest)).toEqual({ customers: 2, migrations: 1, progress: 0, runs: 2, structure: 0 })
  expect(manifest.scope).toMatchObject({ kind: 'affected', tables: [{ name: 'customers' }, { name: 'orders' }] })
  expect(manifest.tables.find(({ name }) => name === 'orders')?.omitted).toBe('excluded')
  expect(told).toContainEqual([
    'the snapshot holds the tables that the migrations can touch',
    {
      tables: [
        'public.customers: DELETE in 2_next',
        'public.orders: references public.customers, and follows its changes',
      ],
    },
  ])
  expect(told).toContainEqual([
    'the migrations can touch tables that are excluded from the snapshot',
    { tables: ['public.orders'] },
  ])
})

test('where it is not sure what a run can touch, all of the database is copied', async () => {
  const { manifest, told } = await runWith(
    await createDatabase(),
    `DO $$ BEGIN EXECUTE 'DELETE FROM ' || quote_ident('orders'); END $$`,
    { snapshotScope: { kind: 'affected' } },
  )

  expect(manifest.scope).toEqual({ kind: 'database' })
  expect(rowsIn(manifest)).toMatchObject({ customers: 2, orders: 1, big: 100 })
  expect(told).toContainEqual([
    'the snapshot holds the whole database: what the migrations can touch is not sure',
    { unsure: 'a DO block puts SQL together (in 2_next)' },
  ])
})
