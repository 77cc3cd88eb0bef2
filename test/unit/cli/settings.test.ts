import { describe, expect, test } from 'vitest'
import { DEFAULT_SETTINGS } from '../../../cli/options.ts'
import { configOf, type Command, type Settings } from '../../../cli/settings.ts'

function command(changes: Partial<Command>, settings: Partial<Settings> = {}): Command {
  return {
    request: { action: 'up' },
    takeSnapshot: true,
    onFailure: 'revert',
    exitOnPending: false,
    ...changes,
    settings: { ...DEFAULT_SETTINGS, ...settings },
  }
}

const URL = 'postgres://h/d'

describe('snapshots', () => {
  test('go beside the embedded database', () => {
    expect(configOf(command({}), URL)).toMatchObject({
      snapshots: { location: '.lockstep/snapshots', kmsKeyId: null },
      snapshotMode: 'logical',
    })
  })

  test('are not taken of another database unless a place is given', () => {
    expect(configOf(command({}, { databaseUrl: URL }), URL)).toMatchObject({ snapshots: null, snapshotMode: 'none' })
    expect(configOf(command({}, { databaseUrl: URL, snapshots: 's3://b/p' }), URL)).toMatchObject({
      snapshots: { location: 's3://b/p' },
      snapshotMode: 'logical',
    })
  })

  test('can be left out of a run', () => {
    expect(configOf(command({ takeSnapshot: false }), URL)).toMatchObject({
      snapshots: { location: '.lockstep/snapshots' },
      snapshotMode: 'none',
    })
  })

  test.each([
    ['s3://bucket/prefix/app/20261121T083000Z-1', 's3://bucket/prefix'],
    ['s3://bucket/app/20261121T083000Z-1/', 's3://bucket'],
    ['file:///var/snapshots/app/20261121T083000Z-1', '/var/snapshots'],
    ['snapshots/app/20261121T083000Z-1/manifest.json', 'snapshots'],
  ])('are restored from where %s is', (uri, location) => {
    expect(configOf(command({ request: { action: 'restore', uri } }), URL)).toMatchObject({ snapshots: { location } })
  })
})

test('seconds become milliseconds, and the command line is named as the trigger', () => {
  expect(configOf(command({}, { lockTimeoutSeconds: 1.5, connectTimeoutSeconds: 2 }), URL)).toMatchObject({
    database: { kind: 'url', url: URL },
    lockTimeoutMs: 1500,
    connectTimeoutMs: 2000,
    trigger: 'cli',
    appliedBy: expect.stringContaining('@'),
  })
})
