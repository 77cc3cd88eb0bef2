import { expect, test } from 'vitest'
import { createSnapshot } from '../../../lambda/snapshot/snapshot.ts'
import { restoreSnapshot } from '../../../lambda/snapshot/restore.ts'
import { withSessions, type Patience } from '../../../lambda/snapshot/session.ts'
import { createDatabase } from '../../support/database.ts'
import { contextFor, directoryStore, dropLater } from './support.ts'

test('a session that opens after the others were cut is not handed out', async () => {
  const database = await createDatabase()
  const { openClient } = contextFor(database, await directoryStore())
  let late: Promise<unknown> = Promise.resolve()

  const work = withSessions({ openClient }, async (open, cut) => {
    const opening = open()
    late = opening
    cut(new Error('another has failed'))
    return opening
  })

  await expect(work).rejects.toThrow('another has failed')
  await expect(late).rejects.toThrow('another has failed')
  expect(
    await database.rows(
      `SELECT pid FROM pg_stat_activity WHERE datname = '${database.name}' AND pid <> pg_backend_pid()`,
    ),
  ).toEqual([])
})

test('further sessions of a restore are not waited for', async () => {
  const database = await createDatabase()
  for (const name of ['a', 'b']) {
    await database.rows(
      `CREATE TABLE ${name} AS SELECT n, repeat(md5(n::text), 9) AS t FROM generate_series(1, 20000) n`,
    )
  }
  const context = contextFor(database, await directoryStore())
  const { uri } = await createSnapshot(context, { runId: 'run' })
  const asked: (Patience | undefined)[] = []
  const openClient: typeof context.openClient = async (name, patience) => {
    if (name?.includes('_restoring_') === true) asked.push(patience)
    return context.openClient(name, patience)
  }

  await restoreSnapshot({ ...context, openClient, workers: 2 }, { uri, into: `${database.name}_copy` })

  dropLater(`${database.name}_copy`)
  expect(asked).toEqual([undefined, 'none'])
})
