import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import { silentLog, type LogFields } from '../../../lambda/log.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { code, engineFor, fileOf, sql } from '../../support/engine.ts'

const TABLES = sql('1_tables', ['a', 'b', 'c'].map((name) => `CREATE TABLE ${name} (id int);`).join('\n'))

function alter(id: string, table: string, timeout: string): Migration {
  return fileOf(id, `-- lockstep:lock-timeout ${timeout}\n-- migrate:up\nALTER TABLE ${table} ADD COLUMN x int;`)
}

/** Sessions that read a table in a transaction for so long. */
async function hold(database: TestDatabase, ...tables: readonly (readonly [table: string, ms: number])[]) {
  for (const [table, ms] of tables) {
    const reader = await database.connect()
    await reader.execute(`BEGIN; SELECT FROM ${table}`)
    void delay(ms).then(() => reader.close())
  }
}

/** Writes into a table again and again; gives the longest time that a write took. */
async function writeUntil(database: TestDatabase, table: string, end: Promise<unknown>): Promise<number> {
  const writer = await database.connect()
  const isOver = end.then(() => true)
  let longest = 0
  while (!(await Promise.race([isOver, delay(5, false)]))) {
    const began = performance.now()
    await writer.execute(`INSERT INTO ${table} (id) VALUES (1)`)
    longest = Math.max(longest, performance.now() - began)
  }
  return longest
}

async function migrated() {
  const database = await createDatabase()
  const warnings: LogFields[] = []
  const log = { ...silentLog, warn: (_message: string, fields: LogFields = {}) => void warnings.push(fields) }
  const engine = engineFor(database, { log })
  await migrateUp(engine, { migrations: [TABLES] })
  return { database, warnings, engine }
}

describe('a run that waits for one table after another', () => {
  it.each(['migrations', 'statements', 'code'])(
    'holds up the writers of the first no longer than it would wait for one (%s)',
    async (kind) => {
      const { database, warnings, engine } = await migrated()
      const sets: Readonly<Record<string, readonly Migration[]>> = {
        migrations: ['a', 'b', 'c'].map((table, index) => alter(`${index + 2}_${table}`, table, '2s')),
        statements: [
          fileOf(
            '2_all',
            `-- lockstep:lock-timeout 2s\n-- migrate:up\n${['a', 'b', 'c'].map((table) => `ALTER TABLE ${table} ADD COLUMN x int;`).join('\n')}`,
          ),
        ],
        code: [
          code('2_code', {
            lockTimeout: '2s',
            up: async ({ query }) => {
              for (const table of ['a', 'b', 'c']) await query(`ALTER TABLE ${table} ADD COLUMN x int`)
            },
          }),
        ],
      }
      await hold(database, ['b', 1600], ['c', 4500])
      const run = migrateUp(engine, { migrations: [TABLES, ...(sets[kind] ?? [])] })
      const longest = await writeUntil(database, 'a', run)
      expect(await run).toMatchObject({ status: 'succeeded' })
      expect(warnings.length).toBeGreaterThan(0)
      expect(longest).toBeLessThan(3000)
    },
  )

  it('is as patient as ever after long work of its own', async () => {
    const { database, warnings, engine } = await migrated()
    const work = fileOf('2_work', '-- lockstep:lock-timeout 1s\n-- migrate:up\nSELECT pg_sleep(2.1);')
    const run = migrateUp(engine, { migrations: [TABLES, work, alter('3_b', 'b', '1s')] })
    await hold(database, ['b', 2800])
    expect(await run).toMatchObject({ status: 'succeeded' })
    expect(warnings).toEqual([])
  })
})
