import { expect, test } from 'vitest'
import { perform } from '../../../lambda/actions.ts'
import { lockstepFor } from '../../support/lockstep.ts'
import { writeFiles } from '../../support/source-files.ts'
import { runCli } from '../cli/run-cli.ts'

import { SLOW, untilSlow, expectRestored, FAILING, migrated, OLD, OUTSIDE, ownedBy, WAITING } from './support.ts'

test('a committed migration without a down is undone by the snapshot when a later one fails', async () => {
  const setup = await migrated()
  const { lockstep, database } = setup
  const failed = await perform(await lockstep({ ...OUTSIDE, ...FAILING }), { action: 'up' })

  expect(failed.error).toMatchObject({ code: 'MIGRATION_FAILED', migration: '3_failing', line: 3 })
  await expectRestored(setup, failed)

  const corrected = { ...OUTSIDE, '3_failing.sql': '-- migrate:up\nCREATE TABLE later (id int);\n' }
  expect(await perform(await lockstep(corrected), { action: 'up' })).toMatchObject({
    status: 'succeeded',
    applied: ['2_outside', '3_failing'],
  })
  expect(await database.rows('SELECT DISTINCT name FROM items')).toEqual([{ name: 'lost' }])
})

test('what was written meanwhile is in the database that was replaced', async () => {
  const setup = await migrated()
  const { database } = setup
  const running = perform(await setup.lockstep({ ...OUTSIDE, ...SLOW }), { action: 'up' })
  await untilSlow(database)
  await database.rows("INSERT INTO items VALUES (3, 'written meanwhile')")

  const replaced = await expectRestored(setup, await running)

  const url = new URL(database.url)
  url.pathname = `/${replaced}`
  const old = await lockstepFor(url.href, '.').connect()
  expect((await old.query('SELECT name FROM items WHERE id = 3')).rows).toEqual([{ name: 'written meanwhile' }])
  await old.close()
})

test.each([
  [
    'a half applied migration',
    {
      '2_half.sql':
        "-- migrate:up transaction:false\nINSERT INTO items VALUES (3, 'three');\nSELECT nothing;\n-- migrate:down\nDELETE FROM items;\n",
    },
  ],
  [
    'code that committed a part',
    {
      'package.json': '{"type":"module"}',
      '2_half.ts':
        "export const transaction = false\nexport async function up({ query }) {\n  await query(`INSERT INTO items VALUES (3, 'three')`)\n  throw new Error('half way')\n}\n",
    },
  ],
  [
    'a down that fails',
    {
      '2_outside.sql': `${OUTSIDE['2_outside.sql']}-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY items_nome;\n`,
      ...FAILING,
    },
  ],
])('%s is undone by the snapshot', async (_, files) => {
  const setup = await migrated()
  const failed = await perform(await setup.lockstep(files), { action: 'up' })
  expect(failed.error?.code).toBe('MIGRATION_FAILED')
  await expectRestored(setup, failed)
})

test('a revert that fails half way is undone by the snapshot', async () => {
  const { lockstep, fingerprintNow } = await migrated()
  const files = {
    '2_table.sql': '-- migrate:up\nCREATE TABLE two (id int);\n-- migrate:down\nSELECT nothing;\n',
    '3_index.sql':
      '-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON items (name);\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY i;\n',
  }
  await perform(await lockstep(files), { action: 'up' })
  const before = await fingerprintNow()

  const failed = await perform(await lockstep(files), { action: 'down', target: { kind: 'steps', steps: 2 } })

  expect(failed).toMatchObject({ status: 'failed', rolledBack: true, reverted: [], current: '3_index' })
  expect(failed.error?.state).toContain('as it was before, at 3_index')
  expect(await fingerprintNow()).toEqual(before)
})

test('a run that waits for the lock goes on in the restored database', async () => {
  const setup = await migrated()
  const { database } = setup
  const first = perform(await setup.lockstep({ ...OUTSIDE, ...SLOW }), { action: 'up' })
  await untilSlow(database)
  const other = { '2_other.sql': '-- migrate:up\nCREATE TABLE other (id int);\n' }
  const waiting = Promise.all(
    [1, 2, 3].map(async () => perform(await setup.lockstep(other, WAITING), { action: 'up' })),
  )

  const failed = await first
  const results = await waiting

  expect(failed).toMatchObject({ status: 'failed', rolledBack: true })
  expect(results.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded'])
  expect(results.flatMap(({ applied }) => applied)).toEqual(['2_other'])
  expect(await database.rows('SELECT id FROM lockstep.migrations ORDER BY position')).toEqual([
    { id: '1_items' },
    { id: '2_other' },
  ])
  expect(await database.rows('SELECT status FROM lockstep.runs ORDER BY started_at')).toEqual([
    { status: 'succeeded' },
    { status: 'failed' },
    { status: 'succeeded' },
  ])
})

test('the same request gets the same answer from the restored database', async () => {
  const setup = await migrated()
  const request = { action: 'up', requestId: 'r-1' } as const
  const files = { ...OUTSIDE, ...FAILING }
  const [one, two] = await Promise.all([
    perform(await setup.lockstep(files, WAITING), request),
    perform(await setup.lockstep(files, WAITING), request),
  ])
  expect(two).toMatchObject({ runId: one.runId, status: 'failed', rolledBack: true, error: one.error })
  await expectRestored(setup, one)
})

test('a user that owns the database restores it', async () => {
  const setup = await migrated()
  const { own } = await ownedBy(setup, 'CREATEDB')
  const before = await setup.fingerprintNow()
  const { error: _error, ...failed } = await perform(own, { action: 'up' })
  expect(failed).toMatchObject({ status: 'failed', rolledBack: true, current: '1_items' })
  expect(await setup.fingerprintNow()).toEqual(before)
})

test('the command line restores when it is told to, and needs snapshots for it', async () => {
  const { database, store } = await migrated()
  const migrations = await writeFiles({ ...OLD, ...OUTSIDE, ...FAILING })
  const options = ['--database-url', database.url, '--migrations', migrations, '--on-failure', 'restore']

  const refused = await runCli(['up', ...options, '--json'])
  expect(refused.exitCode).toBe(1)
  expect(refused.document()).toMatchObject({
    error: { code: 'CONFIG_INVALID', remedy: expect.stringContaining('--snapshots') },
  })
  const failed = await runCli(['up', ...options, '--snapshots', store])
  expect(failed.exitCode).toBe(1)
  expect(failed.stderr).toContain('Rolled back: the database is as it was before.')
  expect(failed.stderr.replaceAll(/\s+/g, ' ')).toContain('The snapshot taken before the run was restored')
  expect(await database.rows('SELECT id FROM lockstep.migrations')).toEqual([{ id: '1_items' }])
  expect(await database.rows('SELECT name FROM items ORDER BY id')).toEqual([{ name: 'one' }, { name: 'two' }])
})

test('a run that was continued goes back to the snapshot of its first invocation', async () => {
  const setup = await migrated()
  const request = { action: 'up', requestId: 'r-1' } as const
  const files = await setup.lockstep({ ...OUTSIDE, ...FAILING })
  const paused = await perform({ ...files, shouldPause: () => true }, request)
  expect(paused.status).toBe('paused')

  const failed = await perform(files, request)

  expect(failed).toMatchObject({ runId: paused.runId, snapshot: paused.snapshot })
  await expectRestored(setup, failed)
})
