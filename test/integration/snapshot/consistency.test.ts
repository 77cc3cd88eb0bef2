import { expect, test } from 'vitest'
import { restoreSnapshot } from '../../../lambda/snapshot/restore.ts'
import { createSnapshot } from '../../../lambda/snapshot/snapshot.ts'
import { createDatabase, databaseAt, onServer } from '../../support/database.ts'
import { contentOf, contextFor, directoryStore, interruptedStore, until } from './support.ts'

test('holds no row that another session wrote while it was taken', async () => {
  const database = await createDatabase()
  await database.rows(`
    CREATE TABLE a (id int); CREATE TABLE b (id int);
    INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)`)
  const before = await contentOf(database)
  const store = interruptedStore(await directoryStore(), { write: 'pre-data.sql' }, () =>
    database.rows('INSERT INTO a VALUES (2); UPDATE b SET id = 9; CREATE TABLE later (id int)'),
  )
  const context = contextFor(database, store)

  const { uri } = await createSnapshot(context, { runId: 'run' })
  const into = `${database.name}_copy`
  await restoreSnapshot(context, { uri, into })

  expect(await contentOf(databaseAt(into))).toEqual(before)
  await onServer(`DROP DATABASE ${into}`)
})

test('does not let a table be truncated under it', async () => {
  const database = await createDatabase()
  await database.rows('CREATE TABLE t AS SELECT 1 AS id')
  let refusal = ''
  const store = interruptedStore(await directoryStore(), { write: 'pre-data.sql' }, async () => {
    await database.rows(`SET lock_timeout = '50ms'; TRUNCATE t`).catch((error: unknown) => (refusal = String(error)))
  })

  const snapshot = await createSnapshot(contextFor(database, store), { runId: 'run' })

  expect(refusal).toContain('lock timeout')
  expect(snapshot.rows).toBe(1)
})

test('starts again when a table disappears before it can be locked', async () => {
  const database = await createDatabase()
  await database.rows('CREATE TABLE doomed (id int); CREATE TABLE kept AS SELECT 1 AS id')
  const dropping = await database.connect()
  await dropping.execute('BEGIN; DROP TABLE doomed')

  const snapshot = createSnapshot(contextFor(database, await directoryStore()), { runId: 'run' })
  await until(
    database,
    `SELECT FROM pg_stat_activity WHERE datname = '${database.name}' AND query LIKE 'LOCK TABLE%' AND wait_event_type = 'Lock'`,
  )
  await dropping.execute('COMMIT')

  expect(await snapshot).toMatchObject({ tables: 1, rows: 1 })
})
