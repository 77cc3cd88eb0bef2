import { TABLE_LOCKS, type TableLock } from '../../lambda/analysis-contract.ts'
import type { PlanStep, RelationSize } from '../../lambda/plan-contract.ts'
import { rowsText } from '../../lambda/engine/policy/weigh.ts'
import { formatBytes } from './units.ts'

/** The strongest lock of a run on a relation, and who takes it first. */
export interface RunLock {
  readonly relation: string
  readonly mode: TableLock
  readonly size: RelationSize | null
  readonly step: PlanStep
  /** 1-based, in the step's file; null for what code runs. */
  readonly line: number | null
}

/** One for each relation, the strongest first. */
export function locksOfRun(steps: readonly PlanStep[]): readonly RunLock[] {
  const strongest = new Map<string, RunLock>()
  for (const step of steps) {
    for (const lock of step.locks ?? []) {
      const known = strongest.get(lock.relation)
      if (known === undefined || rank(known) < rank(lock)) strongest.set(lock.relation, { ...lock, step })
    }
  }
  return [...strongest.values()].toSorted((a, b) => rank(b) - rank(a) || (a.relation < b.relation ? -1 : 1))
}

/** Whom a lock keeps waiting. */
export const BLOCKED: { readonly [M in TableLock]: string } = {
  'ACCESS EXCLUSIVE': 'reads and writes',
  EXCLUSIVE: 'writes, and SELECT … FOR UPDATE',
  'SHARE ROW EXCLUSIVE': 'writes',
  SHARE: 'writes',
  'SHARE UPDATE EXCLUSIVE': 'other schema changes and VACUUM',
}

/** `48 GB, 120,000,000 rows, 120 writes/s`; empty for what has no rows, such as a view, or is not known. */
export function sizeOf(size: RelationSize | null): string {
  if (size === null) return ''
  const { bytes, rows, writesPerSecond } = size
  if (bytes === 0 && (rows ?? 0) === 0) return ''
  const writes = writesPerSecond === null || writesPerSecond < 0.05 ? '' : `, ${writesText(writesPerSecond)} writes/s`
  return `${formatBytes(bytes)}, ${rowsText(size)}${writes}`
}

function writesText(writesPerSecond: number): string {
  return writesPerSecond < 10 ? writesPerSecond.toFixed(1) : String(Math.round(writesPerSecond))
}

function rank({ mode }: { readonly mode: TableLock }): number {
  return TABLE_LOCKS.indexOf(mode)
}
