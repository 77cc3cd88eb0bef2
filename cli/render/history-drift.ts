import type { DriftResult, Reconciled } from '../commands/run-drift.ts'
import { objects, renderDifferences } from './drift.ts'
import type { Style } from './style.ts'
import { indent } from './table.ts'

/** What of the live schema is not what its history makes, and what would reconcile the two. */
export function renderHistoryDrift(result: DriftResult, style: Style): string {
  const { database, differences, notes, sets, replayed, postgres } = result
  const of = sets.length > 1 ? ` of the sets ${sets.join(', ')}` : ''
  const migrations = `${replayed} migration${replayed === 1 ? '' : 's'}${of}`
  const history = `${migrations} replayed on PostgreSQL ${postgres}`
  const summary =
    differences.length === 0
      ? style.good(`"${database}" is what its history makes (${history}).`)
      : style.bad(
          `"${database}" has drifted: ${objects(differences.length)} not as its history makes ${differences.length === 1 ? 'it' : 'them'} (${history}).`,
        )
  const ignored = result.ignored === 0 ? [] : [style.quiet(`${result.ignored} more left out by --ignore.`)]
  return [
    ...(differences.length === 0 ? [] : [renderDifferences(differences, style)]),
    ...reconciliationOf(result, style),
    [...notes.map((note) => style.attention(`! ${note}`)), ...ignored, summary].join('\n'),
  ].join('\n\n')
}

function reconciliationOf({ reconcile, reconciliation }: DriftResult, style: Style): readonly string[] {
  if (reconcile === null || reconciliation === null) return []
  const what =
    reconciliation.way === 'revert'
      ? 'This would take it back; nothing was run'
      : 'This migration does the same elsewhere; where it was done by hand, it is there already'
  return [`${style.heading(`${what}:`)}\n\n${indent(reconcile.trimEnd())}`, verdictOf(reconciliation, style)]
}

function verdictOf({ complete, failure, left, destructive }: Reconciled, style: Style): string {
  const lost = destructive.map((sql) => style.bad(`Loses data: ${sql}`))
  if (failure !== null) return [...lost, style.bad(`On a copy it fails: ${failure}. Complete it by hand.`)].join('\n')
  if (complete) return [...lost, style.good('Tried on a copy: nothing is left to reconcile.')].join('\n')
  return [
    ...lost,
    style.attention('Tried on a copy: this is left, to be done by hand:'),
    indent(renderDifferences(left, style)),
  ].join('\n')
}
