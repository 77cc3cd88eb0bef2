import { beforeAll, expect, test } from 'vitest'
import { buildGraph } from '../../../../lambda/engine/plan/migration-graph.ts'
import { changedParts, isPlanHash, planHash, type PlanFacts } from '../../../../lambda/engine/plan/plan-hash.ts'
import type { AppliedMigration } from '../../../../lambda/engine/history/state.ts'
import { loadParser } from '../../../../lambda/engine/migration/statements.ts'
import { downStep, upStep } from '../../../../lambda/engine/plan/step.ts'
import { snapshotSetting } from '../../../../lambda/snapshot-settings.ts'
import { code, sql } from '../../../support/engine.ts'

beforeAll(() => loadParser())

const applied: AppliedMigration = {
  id: '1_a',
  checksum: 'aaaa',
  kind: 'sql',
  position: 1,
  parents: [],
  appliedAt: new Date('2026-01-01'),
  durationMs: 10,
  runId: 'one',
  appliedBy: 'me@laptop',
  lockstepVersion: '0.1.0',
  archive: null,
}
const progress = {
  id: '2_b',
  direction: 'up',
  statementsDone: 1,
  inFlight: false,
  mayCommit: false,
  statementsChecksum: 'b',
  runId: 'one',
} as const

const two = sql('2_b', 'CREATE TABLE b (id int);', 'DROP TABLE b;')
const three = sql('3_c', 'CREATE TABLE c (id int);', 'DROP TABLE c;')
const stepsOf = (...migrations: readonly (typeof two)[]) => buildGraph(migrations).ordered.map(upStep)

type PlanContext = Parameters<typeof planHash>[0]

const context: PlanContext = { schema: 'lockstep', set: 'default', scope: 'run' }
const facts = (): PlanFacts => ({
  database: 'shop',
  action: 'up',
  state: { applied: [applied], progress: [] },
  steps: stepsOf(two, three),
  snapshot: { mode: 'logical', rows: 'database' },
})

test('the same plan has the same hash, whenever and by whomever it is made', () => {
  const later = { ...applied, appliedAt: new Date('2027-01-01'), durationMs: 99, runId: 'two', appliedBy: 'x' }
  const hash = planHash(context, facts())
  expect(planHash(context, { ...facts(), state: { applied: [later], progress: [] } })).toBe(hash)
  expect(isPlanHash(hash)).toBe(true)
  // Of another process, on another machine: what was agreed to there must hold here.
  expect(hash).toBe('1d62b346538dd0a28793f261')
})

test('all that decides what a run does makes another hash, and says which part it is', () => {
  const hash = planHash(context, facts())
  const partsOf = (changes: Partial<PlanFacts>, changed: Partial<PlanContext> = {}) => {
    const other = planHash({ ...context, ...changed }, { ...facts(), ...changes })
    expect(other.slice(0, 16)).not.toBe(hash.slice(0, 16))
    return changedParts(hash, other)
  }
  expect(partsOf({ database: 'shop2' })).toEqual(['place'])
  expect(partsOf({}, { set: 'billing' })).toEqual(['place'])
  expect(partsOf({ state: { applied: [{ ...applied, checksum: 'bbbb' }], progress: [] } })).toEqual(['history'])
  expect(partsOf({ state: { applied: [applied], progress: [progress] } })).toEqual(['history'])
  expect(partsOf({ steps: stepsOf(two) })).toEqual(['steps'])
  expect(partsOf({ steps: stepsOf(two, sql('3_c', 'CREATE TABLE c (id bigint);')) })).toEqual(['steps'])
  expect(partsOf({ steps: [upStep({ migration: code('2_b', { up: () => {} }), parents: [] })] })).toEqual(['steps'])
  expect(partsOf({ action: 'down', steps: [downStep(three)] })).toEqual(['steps'])
  expect(partsOf({}, { scope: 'migration' })).toEqual(['steps', 'settings'])
  expect(partsOf({ snapshot: { mode: 'none', rows: null } })).toEqual(['settings'])
  expect(partsOf({ snapshot: { mode: 'logical', rows: 'affected' } })).toEqual(['settings'])
})

const snapshotOf = (schemas: readonly string[], snapshotExclude: readonly string[]) =>
  snapshotSetting({ snapshotMode: 'logical', snapshotScope: { kind: 'schemas', schemas }, snapshotExclude })

test("what a snapshot holds is told in one way, whatever the order of the settings' lists", () => {
  expect(snapshotOf(['b', 'a'], ['x.y', 'a.b'])).toEqual({ mode: 'logical', rows: 'schemas:a,b without a.b,x.y' })
  expect(snapshotOf(['a', 'b'], ['a.b', 'x.y'])).toEqual(snapshotOf(['b', 'a'], ['x.y', 'a.b']))
  const settings = { snapshotScope: { kind: 'affected' }, snapshotExclude: [] } as const
  expect(snapshotSetting({ snapshotMode: 'none', ...settings })).toEqual({ mode: 'none', rows: null })
})

test('only a whole hash is one', () => {
  const hash = planHash(context, facts())
  for (const text of [hash.slice(0, 12), `${hash}0`, hash.toUpperCase(), 'x'.repeat(24), ''])
    expect(isPlanHash(text) && text !== hash).toBe(false)
})
