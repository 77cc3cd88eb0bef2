import type { TransactionScope } from '../../contract.ts'
import { isRepeatable } from '../migration/repeatable.ts'
import type { Step } from './step.ts'

/** Steps that are committed together, or one that runs outside of a transaction. */
export interface Segment {
  readonly transactional: boolean
  readonly steps: readonly Step[]
}

/**
 * Cuts a run into segments. In scope `run` all steps share one transaction, but for what cannot: a step outside of a
 * transaction; what follows a new enum value (it may not be used before the commit); `SET TRANSACTION` (must come first).
 */
export function segmentsOf(steps: readonly Step[], scope: TransactionScope): readonly Segment[] {
  const segments: Segment[] = []
  let shared: Step[] = []
  const close = (): void => {
    if (shared.length > 0) segments.push({ transactional: true, steps: shared })
    shared = []
  }
  for (const step of steps) {
    if (!step.transactional) {
      close()
      segments.push({ transactional: false, steps: [step] })
      continue
    }
    // Repeatables are one another's ground: they are applied together or not at all.
    const joins = isRepeatable(step) && shared.some(isRepeatable)
    if (scope === 'migration' && !joins) close()
    const setsTransaction = has(step, 'setsTransaction')
    if (setsTransaction) close()
    shared.push(step)
    if (setsTransaction || has(step, 'addsEnumValue')) close()
  }
  close()
  return segments
}

function has(step: Step, trait: 'addsEnumValue' | 'setsTransaction'): boolean {
  return step.kind === 'sql' && step.statements.some((statement) => statement.traits[trait])
}
