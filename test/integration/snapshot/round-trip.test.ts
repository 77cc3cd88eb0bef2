import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createS3Store } from '../../../lambda/adapters/s3-store.ts'
import { restoreSnapshot } from '../../../lambda/snapshot/restore.ts'
import { createSnapshot, listSnapshots } from '../../../lambda/snapshot/snapshot.ts'
import type { SnapshotStore } from '../../../lambda/snapshot/store.ts'
import { createDatabase, databaseAt } from '../../support/database.ts'
import { startS3, type TestS3 } from '../../support/s3.ts'
import { BUILT_IN_TYPES, EVERY_TYPE, everyTypeSql, WITHOUT_INPUT } from './every-type.ts'
import { RICH_SCHEMA } from './rich-schema.ts'
import { contentOf, contextFor, directoryStore, dropLater } from './support.ts'

let s3: TestS3

beforeAll(async () => {
  s3 = await startS3()
  await s3.createBucket('snapshots')
})
afterAll(async () => s3.stop())

const stores: Readonly<Record<string, () => Promise<SnapshotStore>>> = {
  'a directory': directoryStore,
  S3: async () => createS3Store({ client: s3.client, bucket: 'snapshots', prefix: '/round/trip/' }),
}

describe.each(Object.entries(stores))('a snapshot in %s', (_name, makeStore) => {
  test('restores schema, rows and sequences exactly', async () => {
    const database = await createDatabase()
    await database.rows(RICH_SCHEMA + everyTypeSql(18))
    const context = contextFor(database, await makeStore())
    const before = await contentOf(database)

    const snapshot = await createSnapshot(context, { runId: 'run-1' })
    const restored = await restoreSnapshot(context, { uri: snapshot.uri })

    expect(await contentOf(databaseAt(restored.database))).toEqual(before)
    expect(await contentOf(databaseAt(dropLater(restored.replaced)))).toEqual(before)
    expect(restored).toMatchObject({ database: database.name, tables: snapshot.tables, rows: snapshot.rows })
    expect(Object.keys(before.tables)).toHaveLength(snapshot.tables)
  })

  test('is listed, newest first, with what it holds', async () => {
    const database = await createDatabase()
    await database.rows('CREATE TABLE t AS SELECT generate_series(1, 10) AS n')
    const store = await makeStore()
    const older = await createSnapshot(contextFor(database, store, { now: () => new Date('2026-01-01T00:00:00Z') }), {
      runId: 'older',
    })
    const newer = await createSnapshot(contextFor(database, store, { now: () => new Date('2026-01-02T03:04:05Z') }), {
      runId: 'newer',
    })

    const listed = await listSnapshots({ store }, database.name)

    expect(newer.uri).toBe(`${store.uri}/${database.name}/20260102T030405Z-newer`)
    expect(listed).toEqual([
      {
        uri: newer.uri,
        database: database.name,
        createdAt: '2026-01-02T03:04:05.000Z',
        bytes: newer.bytes,
        tables: 1,
        omittedTables: 0,
        rows: 10,
      },
      expect.objectContaining({ uri: older.uri, createdAt: '2026-01-01T00:00:00.000Z' }),
    ])
    expect(await listSnapshots({ store }, 'another')).toEqual([])
  })
})

test('the round trip covers every built-in type that a column can have', async () => {
  const database = await createDatabase()
  const types = (await database.rows(BUILT_IN_TYPES)).map((row) => String(row['type']))
  const arrays = types.filter((type) => type.endsWith('[]'))
  const expected = types.filter((type) => !arrays.includes(type)).toSorted()
  expect([...Object.keys(EVERY_TYPE), ...WITHOUT_INPUT].toSorted()).toEqual(expected)
})
