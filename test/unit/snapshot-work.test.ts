import { describe, expect, it } from 'vitest'
import { doSnapshotWork } from '../../lambda/snapshot-work.ts'
import { isSnapshotWork } from '../../lambda/snapshot-work-event.ts'
import { lockstepFor } from '../support/lockstep.ts'

const PREFIX = 'shop/20260101T000000Z-run-1'

describe('an event of the state machine', () => {
  it.each([
    [{ snapshotWork: 'copy', prefix: '../other/secret', item: 0 }, '"prefix" of the event is "../other/secret".'],
    [{ snapshotWork: 'copy', prefix: 'intents', item: 0 }, '"prefix" of the event is "intents".'],
    [{ snapshotWork: 'copy', item: 0 }, '"prefix" of the event is undefined.'],
    [{ snapshotWork: 'copy', prefix: PREFIX, item: '0' }, '"item" of the event is "0".'],
    [{ snapshotWork: 'copy', prefix: PREFIX, item: -1 }, '"item" of the event is -1.'],
    [{ snapshotWork: 'hold', prefix: PREFIX, slot: 3 }, '"slot" of the event is 3.'],
    [{ snapshotWork: 'drop', prefix: PREFIX }, '"snapshotWork" of the event is "drop".'],
  ])('%j is refused', async (event, message) => {
    expect(isSnapshotWork(event)).toBe(true)
    await expect(doSnapshotWork(lockstepFor('postgres://unused', ''), event)).rejects.toMatchObject({
      report: { code: 'EVENT_INVALID', message, remedy: expect.stringContaining('{"action":"snapshot"}') },
    })
  })

  it('is not what others send', () => {
    expect([{ action: 'up' }, { RequestType: 'Create' }, null, 'copy'].map((event) => isSnapshotWork(event))).toEqual(
      Array(4).fill(false),
    )
  })
})
