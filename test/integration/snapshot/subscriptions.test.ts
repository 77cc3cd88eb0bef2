import { expect, onTestFinished, test } from 'vitest'
import { restoreSnapshot } from '../../../lambda/snapshot/restore.ts'
import { createSnapshot, type SnapshotContext } from '../../../lambda/snapshot/snapshot.ts'
import { createDatabase, databaseAt, type TestDatabase } from '../../support/database.ts'
import { contextFor, databasesOf, directoryStore, dropLater, reportOfFailure } from './support.ts'

/** A database with one would not be dropped. */
function dropSubscriptionLater(database: TestDatabase): void {
  onTestFinished(async () => {
    for (const sql of ['DISABLE', 'SET (slot_name = NONE)'])
      await database.rows(`ALTER SUBSCRIPTION "Sub ""x""" ${sql}`)
    await database.rows('DROP SUBSCRIPTION "Sub ""x"""')
  })
}

async function subscriber(): Promise<{ readonly database: TestDatabase; readonly context: SnapshotContext }> {
  const database = await createDatabase()
  await database.rows(
    `CREATE SUBSCRIPTION "Sub ""x""" CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p WITH (connect = false, slot_name = 'theirs')`,
  )
  dropSubscriptionLater(database)
  return { database, context: contextFor(database, await directoryStore()) }
}

test('restores a subscription without connecting, disabled', async () => {
  const { database, context } = await subscriber()
  const { uri } = await createSnapshot(context, { runId: 'run' })
  const into = dropLater(`${database.name}_copy`)

  await restoreSnapshot(context, { uri, into })

  dropSubscriptionLater(databaseAt(into))
  const [row] = await databaseAt(into).rows(
    `SELECT subname, subenabled, subslotname, subconninfo FROM pg_subscription s
       JOIN pg_database d ON d.oid = s.subdbid WHERE datname = current_database()`,
  )
  expect(row).toEqual({
    subname: 'Sub "x"',
    subenabled: false,
    subslotname: 'theirs',
    subconninfo: 'host=127.0.0.1 port=1',
  })
})

test('drops a half-made copy that has a subscription, and leaves the slot at the publisher alone', async () => {
  const { database, context } = await subscriber()
  const { uri } = await createSnapshot(context, { runId: 'run' })

  const report = await reportOfFailure(
    restoreSnapshot(context, { uri, seal: async () => Promise.reject(new Error('the seal broke')) }),
  )

  expect(report.message).toContain('the seal broke')
  expect(report.state).toContain('the half-made copy has been dropped')
  expect(await databasesOf(database)).toEqual([database.name])
})
