import { spawn, type ChildProcess } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readMigrationDirectory } from '../../../lambda/engine/migration/migration-directory.ts'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { engineFor } from '../../support/engine.ts'
import { writeFiles } from '../../support/source-files.ts'
import { until } from '../../support/wait.ts'

const MAIN = new URL('../../../cli/main.ts', import.meta.url).pathname

function up(database: TestDatabase, directory: string): ChildProcess {
  return spawn(
    process.execPath,
    [MAIN, 'up', '--database-url', database.url, '--migrations', directory, '--no-snapshot'],
    { stdio: 'ignore' },
  )
}

async function killDuring(database: TestDatabase, directory: string, statement: string): Promise<void> {
  const child = up(database, directory)
  await until(
    async () =>
      (
        await database.rows(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '${statement}%'`,
        )
      ).length > 0,
  )
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('exit', resolve))
}

describe('a process that is killed', () => {
  it('leaves the old state, and the next run works, between two statements of a transaction', async () => {
    const database = await createDatabase()
    const slow = '-- migrate:up\nCREATE TABLE a (id int);\nSELECT pg_sleep(8);\nCREATE TABLE b (id int);\n'
    const directory = await writeFiles({ '1_slow.sql': slow })
    await killDuring(database, directory, 'SELECT pg_sleep')
    expect(await database.rows("SELECT to_regclass('a') AS a")).toEqual([{ a: null }])
    await writeFile(join(directory, '1_slow.sql'), slow.replace('SELECT pg_sleep(8);\n', ''))
    // The server ends the dead session within its client_connection_check_interval of five seconds, and the lock with it.
    const result = await migrateUp(engineFor(database, { lockTimeoutMs: 20_000 }), {
      migrations: readMigrationDirectory(directory),
    })
    expect(result).toMatchObject({ status: 'succeeded', applied: ['1_slow'] })
    expect(await database.rows('SELECT status FROM lockstep.runs ORDER BY started_at')).toEqual([
      { status: 'interrupted' },
      { status: 'succeeded' },
    ])
  })

  it('goes on after the last finished statement outside of a transaction', async () => {
    const database = await createDatabase()
    const steps = '-- migrate:up transaction:false\nCREATE TABLE a (id int);\nSELECT pg_sleep(8);\n'
    const directory = await writeFiles({ '1_steps.sql': steps })
    await killDuring(database, directory, 'SELECT pg_sleep')
    expect(
      await database.rows(
        "SELECT to_regclass('a')::text AS a, (SELECT statements_done FROM lockstep.progress) AS done",
      ),
    ).toEqual([{ a: 'a', done: 1 }])
    await writeFile(join(directory, '1_steps.sql'), steps.replace('pg_sleep(8)', '1'))
    const result = await migrateUp(engineFor(database, { lockTimeoutMs: 20_000 }), {
      migrations: readMigrationDirectory(directory),
    })
    expect(result).toMatchObject({ status: 'succeeded', applied: ['1_steps'] })
  })
})
