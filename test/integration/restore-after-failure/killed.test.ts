import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { perform } from '../../../lambda/actions.ts'
import { writeFiles } from '../../support/source-files.ts'
import { until } from '../../support/wait.ts'
import { databasesOf, spareCopies } from '../snapshot/support.ts'
import { expectLockFree, FAILING, migrated, OLD, OUTSIDE, WAITING } from './support.ts'

const MAIN = new URL('../../../cli/main.ts', import.meta.url).pathname

test('a process that is killed while it restores has said what is left, and the next run works', async () => {
  const { lockstep, database, store } = await migrated()
  await database.rows("INSERT INTO items SELECT i, repeat('x', 50) FROM generate_series(10, 200000) i")
  const migrations = await writeFiles({ ...OLD, ...OUTSIDE, ...FAILING })
  const places = ['--database-url', database.url, '--migrations', migrations, '--snapshots', store]
  const child = spawn(process.execPath, [MAIN, 'up', ...places, '--on-failure', 'restore'], { stdio: 'ignore' })
  await until(async () => (await databasesOf(database)).length > 1)
  const giveUp = await spareCopies(database)
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('exit', resolve))

  expect(await databasesOf(database)).toEqual([database.name, expect.stringContaining('_restoring_')])
  await giveUp()
  await expectLockFree(database)
  expect(
    await database.rows(
      "SELECT status, error ->> 'state' AS state FROM lockstep.runs ORDER BY started_at DESC LIMIT 1",
    ),
  ).toEqual([{ status: 'failed', state: expect.stringContaining('Applied by this run and still there: 2_outside.') }])
  const corrected = await lockstep({ ...OUTSIDE, '3_failing.sql': '-- migrate:up\nSELECT 1;\n' }, WAITING)
  expect(await perform(corrected, { action: 'up' })).toMatchObject({ status: 'succeeded', applied: ['3_failing'] })
})
