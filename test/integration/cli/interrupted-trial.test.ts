import { expect, inject, test } from 'vitest'
import { rowsOf } from '../../support/scratch-database.ts'
import { writeFiles } from '../../support/source-files.ts'
import { until } from '../../support/wait.ts'
import { runCli } from './run-cli.ts'

test.each(['prove', 'lint', 'validate'])(
  '%s that is interrupted stops at once, and leaves nothing behind',
  async (command) => {
    const serverUrl = inject('serverUrl')
    const role = `trial_${command}_${process.pid}`
    const directory = await writeFiles({
      '1.sql': `-- migrate:up\nCREATE TABLE a (id int);\nGRANT SELECT ON a TO ${role};\n-- migrate:down\nDROP TABLE a;\n`,
      '2.sql': `-- migrate:up\nSELECT pg_sleep(600) AS ${role};\n-- migrate:down\nSELECT 1;\n`,
    })
    const sleeping = async (): Promise<string | undefined> => {
      const rows = await rowsOf(
        serverUrl,
        `SELECT datname FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(600) AS ${role}%'`,
      )
      return rows[0] === undefined ? undefined : String(rows[0].datname)
    }
    const { promise: started, resolve: onStart } = Promise.withResolvers<() => void>()
    const running = runCli([command, '--json', '--migrations', directory, '--shadow-url', serverUrl], {
      onStart,
    })
    await until(async () => (await sleeping()) !== undefined)
    const database = await sleeping()
    const interrupt = await started
    interrupt()
    const { exitCode, document } = await running
    expect(exitCode).toBe(130)
    expect(document()).toMatchObject({ error: { code: 'INTERRUPTED' } })
    const left = `SELECT datname FROM pg_database WHERE datname = '${database}' UNION ALL SELECT rolname FROM pg_roles WHERE rolname = '${role}'`
    expect(await rowsOf(serverUrl, left)).toEqual([])
  },
)
