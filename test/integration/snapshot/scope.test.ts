import { expect, test } from 'vitest'
import type { LogFields } from '../../../lambda/log.ts'
import { silentLog } from '../../../lambda/log.ts'
import { createSnapshot } from '../../../lambda/snapshot/snapshot.ts'
import { parseManifest } from '../../../lambda/snapshot/manifest.ts'
import { prefixOf } from '../../../lambda/snapshot/snapshot-uri.ts'
import { createDatabase } from '../../support/database.ts'
import { contextFor, directoryStore } from './support.ts'

const SHOP = `
  CREATE SCHEMA shop; CREATE SCHEMA audit; CREATE SCHEMA lockstep;
  CREATE TABLE lockstep.migrations AS SELECT 1 AS n;
  CREATE TABLE shop.orders AS SELECT generate_series(1, 3) AS n;
  CREATE TABLE shop.sessions AS SELECT generate_series(1, 5) AS n;
  CREATE TABLE shop.events (at date) PARTITION BY RANGE (at);
  CREATE TABLE audit.events_2025 PARTITION OF shop.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
  INSERT INTO shop.events VALUES ('2025-03-01');
  CREATE TABLE audit.log AS SELECT generate_series(1, 7) AS n`

test('a snapshot of schemas holds the rows of their tables alone, and the structure of all', async () => {
  const database = await createDatabase()
  await database.rows(SHOP)
  const store = await directoryStore()
  const warnings: LogFields[] = []
  const log = { ...silentLog, warn: (_message: string, fields: LogFields = {}) => void warnings.push(fields) }

  const snapshot = await createSnapshot(contextFor(database, store, { log }), {
    runId: 'run',
    selection: {
      scope: { kind: 'schemas', schemas: ['shop'] },
      exclude: ['shop.sessions', 'shop.sesions'],
      historySchema: 'lockstep',
    },
  })

  expect(snapshot).toMatchObject({ tables: 3, omittedTables: 2, rows: 5 })
  expect(warnings).toEqual([{ unmatched: ['shop.sesions'] }])
  const prefix = prefixOf(store, snapshot.uri)
  const read = async (key: string): Promise<string> =>
    Buffer.concat(await (await store.read(`${prefix}/${key}`)).toArray()).toString()
  const manifest = parseManifest(await read('manifest.json'))
  expect(manifest).toMatchObject({
    scope: { kind: 'schemas', schemas: ['shop'] },
    exclude: ['shop.sessions', 'shop.sesions'],
    unmatched: ['shop.sesions'],
  })
  const tables = manifest.tables.map(({ schema, name, omitted, rows, parts }) => [
    `${schema}.${name}`,
    omitted,
    rows,
    parts.length > 0,
  ])
  expect(Object.fromEntries(tables.map(([name, ...rest]) => [name, rest]))).toEqual({
    'audit.events_2025': [null, 1, true],
    'audit.log': ['scope', 0, false],
    'lockstep.migrations': [null, 1, true],
    'shop.orders': [null, 3, true],
    'shop.sessions': ['excluded', 0, false],
  })
  expect(await read('pre-data.sql')).toContain('CREATE TABLE audit.log')
})
