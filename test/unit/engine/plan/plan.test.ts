import { describe, expect, it } from 'vitest'
import { buildGraph, compareIds } from '../../../../lambda/engine/plan/migration-graph.ts'
import type { Migration } from '../../../../lambda/engine/migration/migration.ts'
import { planUp } from '../../../../lambda/engine/plan/plan.ts'
import type { AppliedMigration } from '../../../../lambda/engine/history/state.ts'
import { fileOf, sql } from '../../../support/engine.ts'

const [a, b, c, d] = ['1_a', '2_b', '3_c', '4_d'].map((id) => sql(id, `SELECT '${id}';`)) as [
  Migration,
  Migration,
  Migration,
  Migration,
]

function after(id: string, parents: string): Migration {
  return fileOf(id, `-- lockstep:after ${parents}\n-- migrate:up\nSELECT 1;`)
}

function applied(...migrations: readonly Migration[]): readonly AppliedMigration[] {
  return migrations.map((migration, index) => ({
    id: migration.id,
    checksum: migration.checksum,
    kind: migration.kind,
    position: index + 1,
    parents: [],
    appliedAt: new Date('2026-11-21T12:00:00Z'),
    durationMs: 1,
    runId: 'run',
    appliedBy: 'test',
    lockstepVersion: '0',
    archive: null,
  }))
}

function plan(files: readonly Migration[], history: readonly Migration[], to?: string) {
  const { pending, ahead, problems } = planUp(buildGraph(files), applied(...history), to)
  return {
    pending: pending.map((node) => node.migration.id),
    ahead,
    problems: problems.map(({ code, migration }) => `${code} ${migration}`),
  }
}

describe('planUp', () => {
  it('finds what is pending', () => {
    expect(plan([c, a, b], [a])).toEqual({ pending: ['2_b', '3_c'], ahead: [], problems: [] })
  })

  it('stops at the target', () => {
    expect(plan([a, b, c], [], '2_b').pending).toEqual(['1_a', '2_b'])
    expect(() => plan([a], [], '9_z')).toThrow('There is no migration "9_z" among the files.')
  })

  it('finds a changed checksum', () => {
    expect(plan([sql('1_a', 'SELECT 2;')], [a]).problems).toEqual(['HISTORY_CHECKSUM_CHANGED 1_a'])
  })

  it('takes missing files at the end for a newer database when nothing is pending', () => {
    expect(plan([a], [a, b])).toEqual({ pending: [], ahead: ['2_b'], problems: [] })
  })

  it('finds a deleted file in the middle, or before something pending', () => {
    expect(plan([a, c], [a, b, c]).problems).toEqual(['HISTORY_FILE_MISSING 2_b'])
    expect(plan([a, c], [a, b]).problems).toEqual(['HISTORY_FILE_MISSING 2_b'])
  })

  it('finds a migration that would come before applied ones', () => {
    expect(plan([a, b, c], [a, c]).problems).toEqual(['HISTORY_OUT_OF_ORDER 2_b'])
  })

  it('lets branches that name their parents come in any order', () => {
    const files = [a, after('2_b', '1_a'), after('3_c', '1_a'), after('4_d', '2_b, 3_c')]
    expect(plan(files, [a, files[2] ?? a])).toEqual({ pending: ['2_b', '4_d'], ahead: [], problems: [] })
  })

  it('finds two heads', () => {
    const files = [a, after('2_b', '1_a'), after('3_c', '1_a')]
    expect(plan(files, []).problems).toEqual(['MULTIPLE_HEADS null'])
  })

  it('finds every problem at once', () => {
    const files = [sql('1_a', 'SELECT 2;'), b, d]
    expect(plan(files, [a, c, d]).problems).toEqual([
      'HISTORY_CHECKSUM_CHANGED 1_a',
      'HISTORY_FILE_MISSING 3_c',
      'HISTORY_OUT_OF_ORDER 2_b',
    ])
  })
})

describe('buildGraph', () => {
  it('orders numbers as numbers', () => {
    expect(['10_a', '9_b', '20260101000000_c', 'x', '9_a'].toSorted(compareIds)).toEqual([
      '9_a',
      '9_b',
      '10_a',
      '20260101000000_c',
      'x',
    ])
  })

  it('refuses unknown parents and circles', () => {
    expect(() => buildGraph([after('2_b', '1_a')])).toThrow('it comes after "1_a", which is not in the set')
    expect(() => buildGraph([after('1_a', '2_b'), after('2_b', '1_a')])).toThrow('come after each other in a circle')
  })

  it('puts explicit parents first, and the rest by id', () => {
    const root = fileOf('1_root', '-- migrate:up\nSELECT 1;')
    const files = [root, after('2_b', '3_c'), after('3_c', '1_root'), after('4_d', '2_b')]
    const graph = buildGraph(files)
    expect(graph.ordered.map((node) => node.migration.id)).toEqual(['1_root', '3_c', '2_b', '4_d'])
    expect(graph.heads).toEqual(['4_d'])
  })
})
