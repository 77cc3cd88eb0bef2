import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createDatabase } from '../../support/database.ts'
import { writeFiles } from '../../support/source-files.ts'
import { FIRST, runCli, SECOND, THIRD, writeFailingSet, writeGoodSet, type CliResult } from './run-cli.ts'

/** A command line on a new database. */
async function onDatabase(migrations: string): Promise<(...args: readonly string[]) => Promise<CliResult>> {
  const { url } = await createDatabase()
  return (...args) => runCli([...args, '--migrations', migrations, '--database-url', url])
}

describe('as JSON', () => {
  test('status, up, current, pending and history agree, and nothing is left to do', async () => {
    const cli = await onDatabase(await writeGoodSet())

    expect((await cli('status', '--json')).document()).toMatchObject({
      current: null,
      head: SECOND,
      pending: [FIRST, SECOND],
      applied: 0,
      upToDate: false,
    })
    const up = await cli('up', '--json')
    expect(up.document()).toMatchObject({
      status: 'succeeded',
      applied: [FIRST, SECOND],
      reverted: [],
      runId: expect.any(String),
      snapshot: null,
    })
    expect(up.stderr).toMatch(new RegExp(`applied ${FIRST} \\(`))
    expect((await cli('current', '--json')).document()).toEqual({ current: SECOND })
    expect((await cli('pending', '--json')).document()).toEqual({ pending: [] })
    expect((await cli('history', '--json')).document()).toMatchObject({
      migrations: [{ id: FIRST }, { id: SECOND }],
      runs: [{ action: 'up', trigger: 'cli', status: 'succeeded' }],
    })
    expect((await cli('up', '--json')).document()).toMatchObject({ status: 'succeeded', applied: [], runId: null })
  })

  test('up and down go as far as they are told, and a dry run only says how far', async () => {
    const cli = await onDatabase(await writeGoodSet())

    expect((await cli('up', '--to', FIRST, '--json')).document()).toMatchObject({ applied: [FIRST], current: FIRST })
    const plan = await cli('up', '--dry-run', '--json')
    expect(plan.exitCode).toBe(0)
    expect(plan.document()).toMatchObject({ action: 'up', current: FIRST, steps: [{ id: SECOND, segment: 1 }] })
    await cli('up')
    expect((await cli('plan', '--down', '--to', 'base', '--sql')).stdout).toContain('DROP COLUMN author;')
    expect((await cli('down', '--json')).document()).toMatchObject({ reverted: [SECOND], current: FIRST })
    expect((await cli('down', '--to', 'base', '--json')).document()).toMatchObject({ reverted: [FIRST], current: null })
  })

  test('a migration that fails is a failed run with the place, and leaves nothing', async () => {
    const cli = await onDatabase(await writeFailingSet())

    const up = await cli('up', '--json')
    expect(up.exitCode).toBe(1)
    expect(up.document()).toMatchObject({
      status: 'failed',
      applied: [],
      reverted: [],
      rolledBack: true,
      error: { code: 'MIGRATION_FAILED', migration: THIRD, line: 5, column: 5, sqlState: '42703' },
    })
    expect((await cli('current', '--json')).document()).toEqual({ current: null })
  })
})

describe('for a person', () => {
  test('up shows each migration, status a table, current and pending plain ids', async () => {
    const cli = await onDatabase(await writeGoodSet())

    expect(await cli('pending')).toMatchObject({ exitCode: 0, stdout: `${FIRST}\n${SECOND}\n` })
    expect((await cli('status', '--exit-code')).exitCode).toBe(3)
    const { exitCode, stdout } = await cli('up')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^Applied 2 migrations on "test_\w+" in /)
    expect(stdout).toMatch(new RegExp(`^${SECOND} +applied +2 +\\S+ ms$`, 'm'))
    const status = await cli('status', '--exit-code')
    expect(status.exitCode).toBe(0)
    expect(status.stdout).toMatch(new RegExp(`^${FIRST} +applied +\\d{4}-\\d\\d-\\d\\d `, 'm'))
    expect((await cli('current')).stdout).toBe(`${SECOND}\n`)
    expect((await cli('pending')).stdout).toBe('Nothing is pending.\n')
    expect((await cli('history')).stdout).toMatch(/succeeded$/m)
    expect((await cli('up')).stdout).toMatch(/^Nothing to do: /)
    expect((await cli('health')).stdout).toMatch(/is healthy: PostgreSQL 18\.\d+, up to date, Lockstep /)
  })

  test('a migration that fails shows the line with a caret, the state and the remedy on stderr', async () => {
    const migrations = await writeFailingSet()
    const cli = await onDatabase(migrations)

    const { exitCode, stdout, stderr } = await cli('up')
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toContain('Rolled back: the database is as it was before.')
    expect(stderr).toContain(`✗ MIGRATION_FAILED  ${THIRD}`)
    expect(stderr).toContain(`at ${migrations}/${THIRD}.sql:5:5`)
    expect(stderr).toContain('    5 | SET writer = author;\n      |     ^')
    expect(stderr).toMatch(/^ {2}State {3}The run was rolled back/m)
    expect(stderr).toMatch(/^ {2}Remedy {2}Correct /m)
  })
})

test('plan prints a comment for a pull request; a script, or fails and prints none', async () => {
  const set = await writeGoodSet()
  const cli = await onDatabase(set)
  const script = await cli('plan', '--sql')
  expect(script.stdout).toMatch(/^-- Lockstep \S+: up on "test_\w+", set "default": base -> /)
  expect(script.stdout).toContain(`CREATE TABLE notes (id int PRIMARY KEY, text text);`)
  const markdown = await cli('plan', '--format', 'markdown')
  expect(markdown.stdout).toMatch(/^<!-- lockstep plan test_\w+ default -->\n### Lockstep would apply 2 migrations on /)
  // Where the files are on this machine is nobody's business.
  expect(markdown.stdout).not.toContain(set)
  expect(markdown.stdout).toContain('```sql\nCREATE TABLE notes')
  await writeFile(join(set, '20260104000000_code.ts'), 'export async function up() {}\n')
  const refused = await cli('plan', '--sql')
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
  expect(refused.stderr).toContain('✗ SCRIPT_REFUSED  20260104000000_code')
  const json = await cli('plan', '--sql', '--json')
  expect(json.document()).toMatchObject({
    steps: [{ sql: expect.stringContaining('CREATE TABLE notes') }, {}, { kind: 'ts' }],
    script: { sql: null, refused: { code: 'SCRIPT_REFUSED', migration: '20260104000000_code' } },
  })
})

describe('exit codes', () => {
  test('a plan that a run would refuse fails', async () => {
    const { url } = await createDatabase()
    const set = await writeGoodSet()
    const args = ['--migrations', set, '--database-url', url, '--json']
    await runCli(['up', ...args])
    await writeFile(join(set, `${FIRST}.sql`), '-- migrate:up\nSELECT 1;\n')

    const plan = await runCli(['plan', ...args])
    expect(plan.exitCode).toBe(1)
    expect(plan.document()).toMatchObject({ problems: [{ code: 'HISTORY_CHECKSUM_CHANGED', migration: FIRST }] })
    const up = await runCli(['up', ...args])
    expect(up.exitCode).toBe(1)
    expect(up.document()).toMatchObject({ status: 'failed', error: { code: 'HISTORY_CHECKSUM_CHANGED' } })
  })

  test('usage errors are 2, as text and as one document', async () => {
    const text = await runCli(['stauts'])
    expect({ ...text, document: null }).toMatchObject({ exitCode: 2, stdout: '' })
    expect(text.stderr).toContain("error: unknown command 'stauts' (Did you mean status?)")
    const json = await runCli(['down', '--steps', 'two', '--json'])
    expect(json).toMatchObject({ exitCode: 2, stderr: '' })
    expect(json.document()).toMatchObject({ error: { code: 'USAGE_INVALID', remedy: expect.any(String) } })
    expect(await runCli([])).toMatchObject({ exitCode: 2, stdout: '' })
  })
})

test('an interrupted run rolls back and ends with 130', async () => {
  const { url, rows } = await createDatabase()
  const slow = '-- migrate:up\nCREATE TABLE slow (id int);\nSELECT pg_sleep(30);\nSELECT 1;\n'
  const migrations = await writeFiles({ '1_slow.sql': slow })
  const asleep = `SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND datname = current_database()`

  const up = runCli(['up', '--migrations', migrations, '--database-url', url, '--json'], {
    onStart: (interrupt) => {
      const poll = setInterval(() => {
        void rows(asleep).then((found) => {
          if (found.length === 0) return
          clearInterval(poll)
          interrupt()
        })
      }, 50)
    },
  })

  const { exitCode, document } = await up
  expect(exitCode).toBe(130)
  expect(document()).toMatchObject({ status: 'failed', applied: [], error: { code: expect.any(String) } })
  expect(await rows(`SELECT to_regclass('slow') AS found`)).toEqual([{ found: null }])
})
