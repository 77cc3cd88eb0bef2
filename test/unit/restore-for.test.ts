import { expect, test } from 'vitest'
import type { Config } from '../../lambda/config.ts'
import { restoreFor } from '../../lambda/restore-for.ts'
import { lockstepFor } from '../support/lockstep.ts'
import { reportThrownBy } from '../support/report.ts'

const WHOLE = { snapshots: { location: 'snapshots', kmsKeyId: null }, snapshotMode: 'logical' } as const

const restoreWith = (config: Partial<Config>) => restoreFor(lockstepFor('postgres://h/d', 'm', config))

test('a failure can restore a snapshot of the whole database', () => {
  expect(restoreWith(WHOLE)).toBeTypeOf('function')
})

test.each([
  [{ snapshotMode: 'none' }, 'but none is taken'],
  [{ ...WHOLE, snapshotScope: { kind: 'affected' } }, 'hold only "affected"'],
  [{ ...WHOLE, snapshotScope: { kind: 'schemas', schemas: ['a'] } }, 'hold only "schemas"'],
  [{ ...WHOLE, snapshotExclude: ['audit.*'] }, 'leave out audit.*'],
] as const)('refuses %j before anything is touched', async (config, message) => {
  expect(await reportThrownBy(() => restoreWith(config))).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(message),
    state: 'The database has not been touched.',
  })
})
