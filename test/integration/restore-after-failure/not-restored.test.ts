import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { perform } from '../../../lambda/actions.ts'
import type { Log } from '../../../lambda/log.ts'
import { onServer } from '../../support/database.ts'
import { lockstepFor } from '../../support/lockstep.ts'
import { writeFiles } from '../../support/source-files.ts'
import { databasesOf } from '../snapshot/support.ts'

import {
  SLOW,
  untilSlow,
  expectLockFree,
  FAILING,
  interfered,
  migrated,
  OUTSIDE,
  ownedBy,
  recordOf,
} from './support.ts'

const LEFT =
  'The database is at 2_outside. 2_outside cannot be reverted: it has no down. Applied by this run and still there: 2_outside.'

test('nothing is restored where downs take everything back', async () => {
  const { lockstep, database } = await migrated()
  const withDown = { '2_table.sql': '-- migrate:up\nCREATE TABLE two (id int);\n-- migrate:down\nDROP TABLE two;\n' }
  const failed = await perform(await lockstep({ ...withDown, ...FAILING }, { transaction: 'migration' }), {
    action: 'up',
  })
  expect(failed).toMatchObject({ status: 'failed', rolledBack: true, reverted: ['2_table'] })
  expect(failed.error?.state).toContain('The run was rolled back')
  expect(await databasesOf(database)).toEqual([database.name])
})

test('by default what is left is named, and nothing is restored', async () => {
  const { lockstep, database } = await migrated()
  const failed = await perform(await lockstep({ ...OUTSIDE, ...FAILING }, { onFailure: 'revert' }), { action: 'up' })
  expect(failed).toMatchObject({ status: 'failed', rolledBack: false, applied: ['2_outside'] })
  expect(await databasesOf(database)).toEqual([database.name])
})

test('a snapshot that is gone leaves the named state, and says why', async () => {
  const { lockstep, database, store } = await migrated()
  const removing = interfered(await lockstep({ ...OUTSIDE, ...FAILING }), async (name) => {
    // The first session in a maintenance database is the restore's.
    if (name !== 'postgres') return
    const [row] = await database.rows('SELECT snapshot_uri FROM lockstep.runs ORDER BY started_at DESC LIMIT 1')
    await rm(join(fileURLToPath(String(row?.snapshot_uri)), 'data'), { force: true, recursive: true })
  })
  const failed = await perform(removing, { action: 'up' })

  expect(failed).toMatchObject({ status: 'failed', rolledBack: false, applied: ['2_outside'], current: '2_outside' })
  expect(failed.error?.code).toBe('MIGRATION_FAILED')
  expect(failed.error?.state).toContain(`Restoring file://${store}`)
  expect(failed.error?.state).toContain('data/0001-small-tables.sql.zst')
  expect(await recordOf(database, failed)).toMatchObject({ status: 'failed', state: failed.error?.state })
  expect(await databasesOf(database)).toEqual([database.name])
  await expectLockFree(database)
})

test('a session that this user may not end leaves the named state', async () => {
  const setup = await migrated()
  const { database } = setup
  const { own } = await ownedBy(setup, 'CREATEDB')
  const superuser = await database.connect()

  const failed = await perform(own, { action: 'up' })

  expect(failed).toMatchObject({ status: 'failed', rolledBack: false, applied: ['2_outside'] })
  expect(failed.error?.state).toContain(`${LEFT} Restoring `)
  expect(failed.error?.state).toContain('is being accessed by other users')
  expect(await recordOf(database, failed)).toMatchObject({ status: 'failed', state: failed.error?.state })
  expect(superuser.isOpen()).toBe(true)
  expect(await databasesOf(database)).toEqual([database.name])
  await expectLockFree(database)
})

test('a user that may not create databases is refused before the first statement', async () => {
  const setup = await migrated()
  const { database } = setup
  const { user, own } = await ownedBy(setup, '')
  await expect(perform(own, { action: 'up' })).rejects.toMatchObject({
    report: {
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`the user "${user}" may not create databases`),
      remedy: `Grant it (ALTER ROLE "${user}" CREATEDB), or choose onFailure "revert".`,
    },
  })
  await onServer(`ALTER ROLE ${user} CREATEDB; ALTER DATABASE ${database.name} OWNER TO CURRENT_USER`)
  await expect(perform(own, { action: 'up' })).rejects.toMatchObject({
    report: {
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`does not own the database "${database.name}"`),
    },
  })
  expect(await database.rows('SELECT count(*)::int AS n FROM lockstep.runs')).toEqual([{ n: 1 }])
})

test('a privilege that is revoked meanwhile leaves the named state', async () => {
  const setup = await migrated()
  const { user, own } = await ownedBy(setup, 'CREATEDB')
  const revoking = interfered(own, async (name) => {
    if (name === 'postgres') await onServer(`ALTER ROLE ${user} NOCREATEDB`)
  })
  const failed = await perform(revoking, { action: 'up' })
  expect(failed).toMatchObject({ status: 'failed', rolledBack: false, applied: ['2_outside'] })
  expect(failed.error?.state).toMatch(/^The database is at 2_outside\. .*permission denied to create database\.$/)
  expect(await databasesOf(setup.database)).toEqual([setup.database.name])
})

test('a run without time for it does not begin to restore', async () => {
  const { lockstep, database } = await migrated()
  const files = await lockstep({ ...OUTSIDE, ...FAILING })
  let leftMs = 120_000
  const info: Log['info'] = (message, fields) => {
    if (message === 'applied' && fields?.['migration'] === '2_outside') leftMs = 15_000
    files.log.info(message, fields)
  }
  const slow = { ...files, log: { ...files.log, info }, remainingMs: () => leftMs }
  const failed = await perform(slow, { action: 'up' })
  expect(failed).toMatchObject({ status: 'failed', rolledBack: false })
  expect(failed.error?.state).toMatch(
    /The snapshot was not restored: it may take \d+ s, and 15 s of the function's time are left\.$/,
  )
  expect(await databasesOf(database)).toEqual([database.name])
})

test('what another set has done since is not undone', async () => {
  const { lockstep, database } = await migrated()
  const running = perform(await lockstep({ ...OUTSIDE, ...SLOW }), { action: 'up' })
  await untilSlow(database)
  const theirs = lockstepFor(
    database.url,
    await writeFiles({ '1_theirs.sql': '-- migrate:up\nCREATE TABLE theirs ();' }),
    {
      set: 'theirs',
    },
  )
  await perform(theirs, { action: 'up' })

  const failed = await running
  expect(failed).toMatchObject({ status: 'failed', rolledBack: false, applied: ['2_outside'] })
  expect(failed.error?.state).toBe(
    `${LEFT} The snapshot was not restored: another run, of the set "theirs", has been at the database since.`,
  )
  expect(await database.rows("SELECT to_regclass('theirs')::text AS theirs")).toEqual([{ theirs: 'theirs' }])
})

test('a swap that fails after it has ended the session of the run leaves the named state', async () => {
  const { lockstep, database } = await migrated()
  let sessions = 0
  const sabotaged = interfered(await lockstep({ ...OUTSIDE, ...FAILING }), async (name) => {
    // The second session in a maintenance database is the usher's: everything is ready for the renames.
    if (name !== 'postgres' || (sessions += 1) !== 2) return
    const [copy = ''] = (await databasesOf(database)).filter((other) => other !== database.name)
    await onServer(`ALTER DATABASE ${copy} RENAME TO ${database.name}_away`)
  })
  const failed = await perform(sabotaged, { action: 'up' })

  expect(failed).toMatchObject({ status: 'failed', rolledBack: false, applied: ['2_outside'] })
  expect(failed.error?.state).toContain(`${LEFT} Restoring `)
  expect(failed.error?.state).toContain('does not exist')
  expect(await recordOf(database, failed)).toMatchObject({ status: 'failed', state: failed.error?.state })
  expect(await databasesOf(database)).toEqual([database.name])
  await expectLockFree(database)
})

test('a half applied migration that an earlier run has left is no reason to restore', async () => {
  const { lockstep, database } = await migrated()
  const half = {
    '2_half.sql':
      "-- migrate:up transaction:false\nINSERT INTO items VALUES (3, '3');\nCREATE INDEX CONCURRENTLY ON items (nothing);\n",
  }
  await perform(await lockstep(half, { onFailure: 'revert' }), { action: 'up' })

  const failed = await perform(await lockstep(half), { action: 'up' })

  expect(failed.error?.state).toMatch(
    /statement 1 of 2.*The snapshot was not restored: this run has changed nothing\.$/,
  )
  expect(await databasesOf(database)).toEqual([database.name])
})

test('a run that is told to stop stops restoring, and leaves the named state', async () => {
  const { lockstep, database } = await migrated()
  const controller = new AbortController()
  const stopped = await lockstep({ ...OUTSIDE, ...FAILING })
  const open = stopped.snapshots()
  const aborting = interfered(
    { ...stopped, signal: controller.signal, snapshots: () => ({ ...open, signal: controller.signal }) },
    async (name) => {
      if (name?.includes('_restoring_')) controller.abort(new Error('the time is over'))
    },
  )
  const failed = await perform(aborting, { action: 'up' })

  expect(failed).toMatchObject({ status: 'failed', rolledBack: false, error: { code: 'MIGRATION_FAILED' } })
  expect(failed.error?.state).toMatch(/Restoring .* was cancelled: the time is over\.$/)
  expect(await recordOf(database, failed)).toMatchObject({ status: 'failed', state: failed.error?.state })
  expect(await databasesOf(database)).toEqual([database.name])
  await expectLockFree(database)
})
