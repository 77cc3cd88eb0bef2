import type { Progress } from '../history/progress.ts'

/** A migration that is neither here nor there. */
export interface Partial extends Pick<Progress, 'id' | 'direction' | 'statementsDone' | 'inFlight' | 'mayCommit'> {
  /** How many statements it has; null for code. */
  readonly statements: number | null
}

/** What a failed run left behind. */
export interface Aftermath {
  /** Ids of this run that stand applied. */
  readonly applied: readonly string[]
  readonly reverted: readonly string[]
  /** Ids that this run had committed and took back. */
  readonly undone: readonly string[]
  readonly partial: readonly Partial[]
  readonly current: string | null
  /** Why something that was committed could not be reverted. */
  readonly obstacle: string | null
  /** The database is as it was before the run. */
  readonly rolledBack: boolean
}

/** The state of the database as sentences: where it is first, for whoever reads only the beginning. */
export function describeState(aftermath: Aftermath): string {
  const { current, applied, reverted, undone, partial, obstacle } = aftermath
  const at = current === null ? 'no migration is applied' : `at ${current}`
  if (aftermath.rolledBack) {
    const taken = undone.length === 0 ? '' : ` (reverted: ${listOf(undone)})`
    return `The run was rolled back: the database is as it was before${taken}, ${at}.`
  }
  const parts = [
    current === null ? 'The database has no applied migration.' : `The database is at ${current}.`,
    ...partial.map(describePartial),
    obstacle ?? '',
    applied.length === 0 ? '' : `Applied by this run and still there: ${listOf(applied)}.`,
    reverted.length === 0 ? '' : `Reverted: ${listOf(reverted)}.`,
  ]
  return parts.filter((part) => part !== '').join(' ')
}

function describePartial({ id, direction, statementsDone, inFlight, mayCommit, statements }: Partial): string {
  const what = direction === 'up' ? id : `The down of ${id}`
  if (inFlight && mayCommit) {
    const from = statementsDone === 0 ? '' : ` after its statement ${statementsDone}`
    return `${what} may have committed a part of its work${from}; the next run runs it again.`
  }
  const unknown = inFlight ? `, and whether its statement ${statementsDone + 1} has run is not known` : ''
  const whole = statements === null ? '' : ` of ${statements}`
  return `${what} has run up to its statement ${statementsDone}${whole}${unknown}; the next run goes on after it.`
}

const LISTED = 5

/** A person at 3 am does not read two hundred ids. */
function listOf(ids: readonly string[]): string {
  if (ids.length <= LISTED) return ids.join(', ')
  return `${ids.length} migrations, ${ids[0]} … ${ids.at(-1)}`
}
