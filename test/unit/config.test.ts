import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { configFromEnvironment } from '../../lambda/config.ts'
import { DEFAULT_SNAPSHOT_SETTINGS } from '../../lambda/snapshot-settings.ts'
import { VERSION } from '../../lambda/version.ts'

const minimal = { LOCKSTEP_SECRET_ARN: 'arn:secret' }

describe('configFromEnvironment', () => {
  it('has defaults for all but the secret', () => {
    expect(configFromEnvironment({ ...minimal, LAMBDA_TASK_ROOT: '/var/task' })).toMatchObject({
      database: { kind: 'secret', secretArn: 'arn:secret', host: null, tls: 'verify-full' },
      migrations: { kind: 'bundle', directory: '/var/task/migrations' },
      set: 'default',
      historySchema: 'lockstep',
      transaction: 'run',
      onRollback: 'revert',
      onFailure: 'revert',
      autoApply: true,
      snapshots: null,
      snapshotMode: 'none',
      ...DEFAULT_SNAPSHOT_SETTINGS,
      lockTimeoutMs: 300_000,
    })
  })

  it.each(['true', '1', 'yes', 'on', 'TRUE'])('takes %s for true', (value) => {
    expect(configFromEnvironment({ ...minimal, LOCKSTEP_AUTO_APPLY: value }).autoApply).toBe(true)
  })

  it.each(['false', '0', 'no', 'off'])('takes %s for false', (value) => {
    expect(configFromEnvironment({ ...minimal, LOCKSTEP_AUTO_APPLY: value }).autoApply).toBe(false)
  })

  it.each(['public', 'pg_catalog'])(
    'refuses to keep its history in %s, whose tables would count as its own',
    (schema) => {
      expect(() => configFromEnvironment({ ...minimal, LOCKSTEP_HISTORY_SCHEMA: schema })).toThrow(
        `LOCKSTEP_HISTORY_SCHEMA is "${schema}"`,
      )
    },
  )

  it('reads what snapshots hold and which are kept', () => {
    expect(
      configFromEnvironment({
        ...minimal,
        LOCKSTEP_SNAPSHOT_SCOPE: 'schemas:shop, audit_*',
        LOCKSTEP_SNAPSHOT_EXCLUDE: 'shop.events_*,*.log',
        LOCKSTEP_SNAPSHOT_WORKERS: '8',
        LOCKSTEP_SNAPSHOT_KEEP_LAST: '10',
        LOCKSTEP_SNAPSHOT_KEEP_DAYS: '30',
      }),
    ).toMatchObject({
      snapshotScope: { kind: 'schemas', schemas: ['shop', 'audit_*'] },
      snapshotExclude: ['shop.events_*', '*.log'],
      snapshotWorkers: 8,
      snapshotKeepLast: 10,
      snapshotKeepDays: 30,
    })
  })

  it.each([
    [{}, 'LOCKSTEP_SECRET_ARN is not set'],
    [{ ...minimal, LOCKSTEP_AUTO_APPLY: 'maybe' }, 'LOCKSTEP_AUTO_APPLY is "maybe"'],
    [{ ...minimal, LOCKSTEP_TRANSACTION: 'all' }, 'LOCKSTEP_TRANSACTION is "all"'],
    [{ ...minimal, LOCKSTEP_ON_FAILURE: 'keep' }, 'LOCKSTEP_ON_FAILURE is "keep".'],
    [{ ...minimal, LOCKSTEP_DATABASE_PORT: 'x' }, 'LOCKSTEP_DATABASE_PORT is "x"'],
    [{ ...minimal, LOCKSTEP_SNAPSHOT_SCOPE: 'tables' }, 'LOCKSTEP_SNAPSHOT_SCOPE is "tables"'],
    [{ ...minimal, LOCKSTEP_SNAPSHOT_SCOPE: 'schemas:' }, 'LOCKSTEP_SNAPSHOT_SCOPE is "schemas:"'],
    [{ ...minimal, LOCKSTEP_SNAPSHOT_EXCLUDE: 'audit_log' }, 'LOCKSTEP_SNAPSHOT_EXCLUDE is "audit_log"'],
    [{ ...minimal, LOCKSTEP_SNAPSHOT_WORKERS: '33' }, 'LOCKSTEP_SNAPSHOT_WORKERS is "33"'],
    [{ ...minimal, LOCKSTEP_SNAPSHOT_KEEP_LAST: '0' }, 'LOCKSTEP_SNAPSHOT_KEEP_LAST is "0"'],
    [{ ...minimal, LOCKSTEP_SNAPSHOT_KEEP_DAYS: '1.5' }, 'LOCKSTEP_SNAPSHOT_KEEP_DAYS is "1.5"'],
  ])('names the variable that is wrong: %j', (environment, message) => {
    expect(() => configFromEnvironment(environment)).toThrow(message)
  })
})

describe('VERSION', () => {
  it('is that of package.json', () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      readonly version: string
    }
    expect(VERSION).toBe(manifest.version)
  })
})
