import { describe, expect, inject, test } from 'vitest'
import { freePort } from '../../../cli/embedded-process.ts'
import { createDatabase, databaseAt, onServer } from '../../support/database.ts'
import { runCli, writeGoodSet } from './run-cli.ts'

const CANARY = 'canary-7d1f/@x'
const ENCODED = encodeURIComponent(CANARY)

/** Every way in which the canary could be written. */
function showsCanary(...texts: readonly string[]): boolean {
  return texts.some((text) => text.includes('canary'))
}

describe('a database that cannot be used', () => {
  test('is down', async () => {
    const url = `postgres://u:${ENCODED}@127.0.0.1:${await freePort()}/d`
    const migrations = ['--migrations', await writeGoodSet()]

    const status = await runCli(['status', '--connect-timeout', '0.1', '--json', ...migrations], {
      environment: { LOCKSTEP_DATABASE_URL: url },
    })
    expect(status.exitCode).toBe(1)
    expect(status.document()).toMatchObject({ error: { code: 'DATABASE_UNREACHABLE', state: expect.any(String) } })
    const up = await runCli(['up', '--connect-timeout', '0.1', '--json', '--database-url', url, ...migrations])
    expect(up.exitCode).toBe(1)
    expect(up.document()).toMatchObject({
      status: 'failed',
      applied: [],
      reverted: [],
      error: { code: 'DATABASE_UNREACHABLE' },
    })
    expect(showsCanary(status.stdout, status.stderr, up.stdout, up.stderr)).toBe(false)
  })

  test('refuses the password, which is not shown even with --verbose', async () => {
    const database = await createDatabase()
    const url = new URL(database.url)
    url.password = ENCODED

    const { exitCode, stdout, stderr } = await runCli(
      ['status', '--verbose', '--database-url', url.href, '--migrations', await writeGoodSet()],
      { environment: {} },
    )
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toContain('✗ DATABASE_UNREACHABLE')
    expect(stderr).toContain('Caused by:')
    expect(stderr).toMatch(/Remedy {2}Check the user name and the password/)
    expect(showsCanary(stderr)).toBe(false)
  })

  test.each([
    ['drift', []],
    ['drift', ['--last-run']],
    ['rehearse', []],
    ['lint', ['--pending']],
    ['prove', ['--pending']],
    ['validate', []],
    ['plan', ['--sql']],
    ['plan', ['--format', 'markdown']],
  ] as const)('refuses the password of %s %j, which is not shown', async (command, options) => {
    const url = new URL(inject('serverUrl'))
    url.password = ENCODED
    const on = ['--database-url', url.href, '--migrations', await writeGoodSet(), '--verbose']
    const { exitCode, stdout, stderr } = await runCli([command, ...options, ...on], { environment: {} })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('DATABASE_UNREACHABLE')
    expect(showsCanary(stdout, stderr)).toBe(false)
  })

  test('does not exist: init makes it, and says so once', async () => {
    const name = `init_${process.pid}_${Date.now()}`
    const { url } = databaseAt(name)
    const args = ['--database-url', url, '--migrations', await writeGoodSet(), '--json']

    try {
      expect((await runCli(['status', ...args])).document()).toMatchObject({ error: { code: 'DATABASE_UNREACHABLE' } })
      expect((await runCli(['init', ...args])).document()).toMatchObject({
        database: name,
        createdDatabase: true,
        createdHistory: true,
      })
      expect((await runCli(['init', ...args])).document()).toMatchObject({
        createdDatabase: false,
        createdHistory: false,
      })
    } finally {
      await onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    }
  })
})

describe('a database URL that cannot be read', () => {
  test.each([
    ['a password that is not encoded', `postgres://u:${CANARY}@h/d`],
    ['a password that looks like a port', 'postgres://u:12/canary@h/d'],
    ['not a URL', 'host=h password=canary'],
    ['nothing', ''],
  ])('%s is CONFIG_INVALID and not repeated', async (_, url) => {
    const { exitCode, stdout, stderr, document } = await runCli([
      'status',
      '--json',
      '--verbose',
      '--database-url',
      url,
    ])

    expect(exitCode).toBe(1)
    expect(document()).toMatchObject({ error: { code: 'CONFIG_INVALID' } })
    expect(showsCanary(stdout, stderr)).toBe(false)
  })

  test.each([
    [['status', `--databse-url=postgres://u:${CANARY}@h/d`]],
    [[`postgres://u:${CANARY}@h/d`]],
    [['status', `postgres://u:${CANARY}@h/d`]],
    [['up', '--lock-timeout', `postgres://u:${CANARY}@h/d`, '--json']],
  ])('in the wrong place it is a usage error that does not repeat it: %#', async (args) => {
    const { exitCode, stdout, stderr } = await runCli(args)

    expect(exitCode).toBe(2)
    expect(showsCanary(stdout, stderr)).toBe(false)
  })
})

test('a blank variable counts as not set, and migrations that are not there are named', async () => {
  const { exitCode, document } = await runCli(
    ['status', '--json', '--migrations', 'nowhere', '--database-url', inject('serverUrl')],
    { environment: { LOCKSTEP_TRANSACTION: ' ', LOCKSTEP_SET: '' } },
  )

  expect(exitCode).toBe(1)
  expect(document()).toMatchObject({ error: { code: 'CONFIG_INVALID', message: expect.stringContaining('"nowhere"') } })
})
