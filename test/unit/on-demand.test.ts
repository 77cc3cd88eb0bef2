import { describe, expect, it } from 'vitest'
import { parseEvent } from '../../lambda/on-demand.ts'
import { reportThrownBy } from '../support/report.ts'

const PLAN = '0123456789abcdef01234567'

describe('parseEvent', () => {
  it.each([
    [{ action: 'status' }, { action: 'status' }],
    [
      { action: 'up', to: '1_a' },
      { action: 'up', to: '1_a' },
    ],
    [
      { action: 'up', dryRun: true },
      { action: 'plan', sql: false },
    ],
    [
      { action: 'up', plan: PLAN, requestId: 'r' },
      { action: 'up', plan: PLAN, requestId: 'r' },
    ],
    [{ action: 'down' }, { action: 'down', target: { kind: 'steps', steps: 1 } }],
    [
      { action: 'down', to: 'base' },
      { action: 'down', target: { kind: 'base' } },
    ],
    [
      { action: 'down', to: '1_a', dryRun: true },
      { action: 'plan', down: { kind: 'to', id: '1_a' }, sql: false },
    ],
    [
      { action: 'plan', sql: true },
      { action: 'plan', sql: true },
    ],
    [
      { action: 'plan', script: true },
      { action: 'plan', sql: false, script: true },
    ],
    [
      { action: 'plan', down: { steps: 2 } },
      { action: 'plan', down: { kind: 'steps', steps: 2 }, sql: false },
    ],
    [
      { action: 'restore', uri: 's3://b/p', into: 'x' },
      { action: 'restore', uri: 's3://b/p', into: 'x' },
    ],
    [{ action: 'snapshot' }, { action: 'snapshot' }],
    [
      { action: 'snapshot', scope: 'schemas:a', exclude: ['a.b', 'a.c*'] },
      { action: 'snapshot', scope: { kind: 'schemas', schemas: ['a'] }, exclude: ['a.b', 'a.c*'] },
    ],
    [
      { action: 'snapshot', scope: 'database', exclude: [] },
      { action: 'snapshot', scope: { kind: 'database' }, exclude: [] },
    ],
    [
      { action: 'restore', uri: 's3://b/p', tables: ['public.a'], intoSchema: 's', workers: 2 },
      { action: 'restore', uri: 's3://b/p', tables: ['public.a'], intoSchema: 's', workers: 2 },
    ],
    [
      { action: 'restore', uri: 's3://b/p', into: 'x', missingRoles: 'skip' },
      { action: 'restore', uri: 's3://b/p', into: 'x', missingRoles: 'skip' },
    ],
    [
      { action: 'verify', uri: 's3://b/p' },
      { action: 'verify', uri: 's3://b/p' },
    ],
  ])('reads %j', (event, request) => {
    expect(parseEvent(event)).toEqual(request)
  })

  it.each([
    ['status', 'The event is not an object.', 'Known actions: init, status, current'],
    [{}, 'The event has no "action".', 'Known actions: '],
    [{ action: 'migrate' }, 'The action "migrate" is not known.', 'up, down'],
    [
      { action: 'up', steps: 1 },
      'The action "up" does not take "steps".',
      'Keys of "up": to, dryRun, requestId, plan.',
    ],
    [{ action: 'health', x: 1 }, 'The action "health" does not take "x".', 'Keys of "health": none.'],
    [{ action: 'up', plan: '0123456789ab' }, '"plan" is "0123456789ab".', 'Give the hash of a plan, whole'],
    [{ action: 'down', plan: PLAN, dryRun: true }, 'Both "plan" and "dryRun" are given.', 'Give one of them.'],
    [{ action: 'up', to: 3 }, '"to" is 3.', 'Give a text for "to".'],
    [{ action: 'down', to: 'a', steps: 1 }, 'Both "steps" and "to" are given.', 'Give one of them.'],
    [{ action: 'down', steps: '2' }, '"steps" is "2".', 'Give a whole number'],
    [{ action: 'restore' }, 'The action "restore" needs "uri".', 'snapshots'],
    [{ action: 'verify' }, 'The action "verify" needs "uri".', 'snapshots'],
    [{ action: 'restore', uri: 'x', tables: [] }, '"tables" is [].', 'schema.table'],
    [{ action: 'restore', uri: 'x', missingRoles: 'make' }, '"missingRoles" is "make".', 'fail, skip'],
    [{ action: 'restore', uri: 'x', workers: 0 }, '"workers" is 0.', 'from 1 to 32'],
    [{ action: 'snapshot', scope: 'affected' }, '"scope" is "affected".', 'Give database, or schemas:'],
    [{ action: 'snapshot', exclude: 'a.b' }, '"exclude" is "a.b".', 'Give a list of texts'],
    [{ action: 'snapshot', exclude: ['b'] }, '"exclude" is ["b"].', 'schema.table'],
  ])('refuses %j and lists what is known', async (event, message, remedy) => {
    expect(await reportThrownBy(() => parseEvent(event))).toMatchObject({
      code: 'EVENT_INVALID',
      message,
      remedy: expect.stringContaining(remedy),
    })
  })
})
