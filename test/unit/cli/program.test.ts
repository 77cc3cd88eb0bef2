import { afterEach, describe, expect, test, vi } from 'vitest'
import { DEFAULT_SETTINGS } from '../../../cli/options.ts'
import { parseCommandLine } from '../../../cli/program.ts'

const PLAN = '0123456789abcdef01234567'

const parse = (...args: readonly string[]) => parseCommandLine(args, '1.2.3')

function requestOf(...args: readonly string[]): unknown {
  const invocation = parse(...args)
  return invocation.kind === 'command' ? invocation.command.request : invocation
}

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('requests', () => {
  test.each([
    [['status'], { action: 'status' }],
    [['current'], { action: 'current' }],
    [['history'], { action: 'history' }],
    [['pending'], { action: 'pending' }],
    [['health'], { action: 'health' }],
    [['init'], { action: 'init' }],
    [['plan'], { action: 'plan', sql: false }],
    [['plan', '--format', 'markdown'], { action: 'plan', sql: true }],
    [['plan', '--sql', '--to', 'b'], { action: 'plan', to: 'b', sql: true, script: true }],
    [['plan', '--down'], { action: 'plan', down: { kind: 'steps', steps: 1 }, sql: false }],
    [['plan', '--down', '--steps', '3'], { action: 'plan', down: { kind: 'steps', steps: 3 }, sql: false }],
    [['plan', '--down', '--to', 'base'], { action: 'plan', down: { kind: 'base' }, sql: false }],
    [['up'], { action: 'up' }],
    [['up', '--to', 'b'], { action: 'up', to: 'b' }],
    [['up', '--plan', PLAN], { action: 'up', plan: PLAN }],
    [['down', '--plan', PLAN], { action: 'down', target: { kind: 'steps', steps: 1 }, plan: PLAN }],
    [['up', '--dry-run', '--to', 'b'], { action: 'plan', to: 'b', sql: false }],
    [['down'], { action: 'down', target: { kind: 'steps', steps: 1 } }],
    [['down', '--steps', '2'], { action: 'down', target: { kind: 'steps', steps: 2 } }],
    [['down', '--to', 'a'], { action: 'down', target: { kind: 'to', id: 'a' } }],
    [['down', '--to', 'base'], { action: 'down', target: { kind: 'base' } }],
    [['down', '--steps', '2', '--dry-run'], { action: 'plan', down: { kind: 'steps', steps: 2 }, sql: false }],
    [['snapshot'], { action: 'snapshot' }],
    [['snapshots'], { action: 'snapshots' }],
    [['restore', 's3://b/p/app/1'], { action: 'restore', uri: 's3://b/p/app/1' }],
    [
      ['restore', 's3://b/p/app/1', '--table', 'public.a', '--table', 'public.b', '--into-schema', 's'],
      { action: 'restore', uri: 's3://b/p/app/1', tables: ['public.a', 'public.b'], intoSchema: 's' },
    ],
    [
      ['restore', 's3://b/p/app/1', '--missing-roles', 'skip', '--workers', '2'],
      { action: 'restore', uri: 's3://b/p/app/1', missingRoles: 'skip', workers: 2 },
    ],
    [['verify', 's3://b/p/app/1'], { action: 'verify', uri: 's3://b/p/app/1' }],
    [['restore', 's3://b/p/app/1', '--into', 'copy'], { action: 'restore', uri: 's3://b/p/app/1', into: 'copy' }],
  ])('%j', (args, request) => {
    expect(requestOf(...args)).toEqual(request)
  })
})

describe('settings', () => {
  test('have defaults', () => {
    expect(parse('status')).toEqual({
      kind: 'command',
      command: {
        request: { action: 'status' },
        settings: DEFAULT_SETTINGS,
        takeSnapshot: true,
        onFailure: 'revert',
        exitOnPending: false,
      },
    })
  })

  test('are read before and behind the command', () => {
    const line =
      '--json --set billing up --no-snapshot --database-url postgres://h/d --migrations m --snapshots=s --verbose ' +
      '--transaction migration --lock-timeout 0 --connect-timeout 2.5 --history-schema h ' +
      '--snapshot-scope schemas:a,b --snapshot-exclude a.*_log --snapshot-workers 2 --snapshot-keep-last 3 --snapshot-keep-days 4'
    const invocation = parse(...line.split(' '))

    expect(invocation).toMatchObject({
      command: {
        settings: {
          databaseUrl: 'postgres://h/d',
          migrations: 'm',
          set: 'billing',
          snapshots: 's',
          historySchema: 'h',
          transaction: 'migration',
          lockTimeoutSeconds: 0,
          connectTimeoutSeconds: 2.5,
          json: true,
          verbose: true,
          snapshotScope: { kind: 'schemas', schemas: ['a', 'b'] },
          snapshotExclude: ['a.*_log'],
          snapshotWorkers: 2,
          snapshotKeepLast: 3,
          snapshotKeepDays: 4,
        },
        takeSnapshot: false,
      },
    })
  })

  test('come from the environment, behind the arguments', () => {
    vi.stubEnv('LOCKSTEP_DATABASE_URL', 'postgres://h/environment')
    vi.stubEnv('LOCKSTEP_SET', 'environment')

    expect(parse('status', '--set', 'argument')).toMatchObject({
      command: { settings: { databaseUrl: 'postgres://h/environment', set: 'argument' } },
    })
  })

  test.each(['up', 'down'])('%s can restore the snapshot when it fails', (name) => {
    expect(parse(name)).toMatchObject({ command: { onFailure: 'revert' } })
    expect(parse(name, '--on-failure', 'restore')).toMatchObject({ command: { onFailure: 'restore' } })
    vi.stubEnv('LOCKSTEP_ON_FAILURE', 'restore')
    expect(parse(name)).toMatchObject({ command: { onFailure: 'restore' } })
    expect(parse(name, '--on-failure', 'keep')).toMatchObject({ kind: 'usage' })
  })

  test('status can tell of pending migrations by its exit code', () => {
    expect(parse('status', '--exit-code')).toMatchObject({ command: { exitOnPending: true } })
  })
})

describe('usage errors', () => {
  test.each([
    [['stauts'], "unknown command 'stauts' (Did you mean status?)"],
    [['status', '--jsn'], "unknown option '--jsn' (Did you mean --json?)"],
    [['status', 'more'], "too many arguments for 'status'. Expected 0 arguments but got 1."],
    [['restore'], "missing required argument 'uri'"],
    [
      ['up', '--plan', '0123456789ab'],
      "option '--plan <hash>' argument '0123456789ab' is invalid. Give it whole: 24 digits and letters from a to f, as \"plan\" shows it.",
    ],
    [['plan', '--format', 'markdown', '--sql'], "option '--format <format>' cannot be used with option '--sql'"],
    [['up', '--plan', PLAN, '--dry-run'], "option '--plan <hash>' cannot be used with option '--dry-run'"],
    [['up', '--to'], "option '--to <id>' argument missing"],
    [['down', '--steps', '0'], "option '--steps <number>' argument '0' is invalid. Give a whole number from 1 on."],
    [['down', '--steps', '1', '--to', 'a'], "option '--steps <number>' cannot be used with option '--to <id>'"],
    [['plan', '--steps', '2'], "option '--steps <number>' needs option '--down'"],
    [['status', '--set', ' '], "option '--set <name>' argument ' ' is invalid. It is empty."],
    [
      ['status', '--transaction', 'some'],
      "option '--transaction <scope>' argument 'some' is invalid. Allowed choices are run, migration.",
    ],
    [
      ['status', '--lock-timeout', '-1'],
      "option '--lock-timeout <seconds>' argument '-1' is invalid. Give a number of seconds that is not negative.",
    ],
    [
      ['up', '--snapshot-scope', 'some'],
      "option '--snapshot-scope <scope>' argument 'some' is invalid. Give database, affected, or schemas: with names separated by commas, such as schemas:shop,audit.",
    ],
    [
      ['up', '--snapshot-exclude', 'log'],
      "option '--snapshot-exclude <patterns>' argument 'log' is invalid. Give schema.table, with * for anything, and several separated by commas.",
    ],
  ])('%j', (args, message) => {
    expect(parse(...args)).toEqual({ kind: 'usage', message })
  })

  test('a malformed variable is named', () => {
    vi.stubEnv('LOCKSTEP_TRANSACTION', 'some')

    expect(parse('status')).toMatchObject({ kind: 'usage', message: expect.stringContaining('LOCKSTEP_TRANSACTION') })
  })

  test('no command shows the help', () => {
    expect(parse()).toMatchObject({
      kind: 'usage',
      message: 'no command is given.',
      help: expect.stringContaining('Usage: lockstep'),
    })
  })
})

describe('help', () => {
  test('lists the commands, the options and the exit codes', () => {
    const invocation = parse('--help')

    expect(invocation).toMatchObject({ kind: 'text', text: expect.stringContaining('Exit codes:') })
    expect(invocation).toMatchObject({ text: expect.stringContaining('LOCKSTEP_DATABASE_URL') })
    expect(invocation).toMatchObject({ text: expect.stringContaining('restore [options] <uri>') })
  })

  test('shows the version', () => {
    expect(parse('--version')).toEqual({ kind: 'text', text: '1.2.3\n' })
  })
})
