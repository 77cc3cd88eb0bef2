import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DEFAULT_SETTINGS } from '../../../cli/options.ts'
import { configOf } from '../../../cli/settings.ts'
import { perform, type DownTarget } from '../../../lambda/actions.ts'
import { compose } from '../../../lambda/compose.ts'
import type { Lockstep } from '../../../lambda/lockstep.ts'
import { silentLog } from '../../../lambda/log.ts'
import { createDatabase } from '../../support/database.ts'
import { schemaOf } from '../../support/schema.ts'

const MIGRATIONS = join(import.meta.dirname, '..', '..', '..', 'migrations')

function lockstepAt(url: string): Lockstep {
  const settings = { ...DEFAULT_SETTINGS, databaseUrl: url, migrations: MIGRATIONS }
  const command = {
    request: { action: 'up' },
    settings,
    takeSnapshot: false,
    onFailure: 'revert',
    exitOnPending: false,
  } as const
  return compose(configOf(command, url), silentLog)
}

/** From here on the migrations change what earlier ones made; a mistake in a down would be hidden by dropping that. */
const LAST_CREATION = '20260119093000_create_revenue_views'

test('the example set goes up, down and up again, and every down restores the schema exactly', async () => {
  const database = await createDatabase()
  const lockstep = lockstepAt(database.url)
  await perform(lockstep, { action: 'init' })
  const { pending } = await perform(lockstep, { action: 'status' })
  const base = await schemaOf(database)

  expect(await perform(lockstep, { action: 'up', to: LAST_CREATION })).toMatchObject({ status: 'succeeded' })
  const created = await schemaOf(database)
  expect(await perform(lockstep, { action: 'up' })).toMatchObject({ status: 'succeeded', current: pending.at(-1) })
  const head = await schemaOf(database)

  await downTo(lockstep, { kind: 'to', id: LAST_CREATION })
  expect(await schemaOf(database)).toBe(created)
  await downTo(lockstep, { kind: 'base' })
  expect(await schemaOf(database)).toBe(base)

  expect(await perform(lockstep, { action: 'up' })).toMatchObject({ status: 'succeeded', applied: pending })
  expect(await schemaOf(database)).toBe(head)
})

async function downTo(lockstep: Lockstep, target: DownTarget): Promise<void> {
  expect(await perform(lockstep, { action: 'down', target })).toMatchObject({ status: 'succeeded' })
}

test('the example set fills its tables', async () => {
  const database = await createDatabase()

  const { applied } = await perform(lockstepAt(database.url), { action: 'up' })

  expect(applied.length).toBeGreaterThanOrEqual(7)
  expect(await database.rows('SELECT number, total_amount::text FROM shop.order_totals ORDER BY number')).toEqual([
    { number: '2026-0001', total_amount: '77.10' },
    { number: '2026-0002', total_amount: '124.20' },
    { number: '2026-0003', total_amount: '54.00' },
    { number: '2026-0004', total_amount: '65.40' },
  ])
  expect(await database.rows('SELECT slug FROM shop.products ORDER BY id OFFSET 4')).toEqual([
    { slug: 'house-blend-whole-bean' },
    { slug: 'cafe-creme-ground' },
    { slug: 'cast-iron-teapot' },
    { slug: 'hand-coffee-grinder' },
  ])
})
