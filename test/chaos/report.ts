import { STATES, type RoundResult, type State } from './round.ts'
import { ACTIONS, FAULTS, type Action, type FaultKind } from './scenario.ts'

/** The figures of a whole run. */
export interface Summary {
  readonly seed: number
  readonly rounds: number
  readonly actions: Readonly<Record<Action, number>>
  readonly faults: Readonly<Record<FaultKind, number>>
  /** Rounds in which everything was done before a fault's instant. */
  readonly missed: number
  /** Faults that struck: a round may have several. */
  readonly struck: number
  /** Commands and deliveries. */
  readonly invocations: number
  readonly states: Readonly<Record<State, Readonly<Record<FaultKind, number>>>>
  readonly longestWaitMs: number
  readonly leftovers: number
  readonly saidRunning: number
  readonly lost: readonly { readonly round: number; readonly problems: readonly string[] }[]
  readonly seconds: number
}

export function summarise(seed: number, results: readonly RoundResult[], seconds: number): Summary {
  const count = (test: (result: RoundResult) => boolean): number => results.filter(test).length
  const sum = (of: (result: RoundResult) => number): number => results.reduce((total, result) => total + of(result), 0)
  const byFault = (state: State): readonly (readonly [FaultKind, number])[] =>
    FAULTS.map((fault) => [fault, count((result) => result.state === state && result.fault === fault)])
  return {
    seed,
    rounds: results.length,
    actions: table(ACTIONS.map((action) => [action, count((result) => result.action === action)])),
    faults: table(FAULTS.map((fault) => [fault, count((result) => result.fault === fault)])),
    missed: count(({ struck }) => struck === 0),
    struck: sum(({ struck }) => struck),
    invocations: sum(({ invocations }) => invocations),
    states: table(STATES.map((state) => [state, table(byFault(state))])),
    longestWaitMs: Math.round(Math.max(0, ...results.map(({ waitedMs }) => waitedMs))),
    leftovers: sum(({ leftovers }) => leftovers),
    saidRunning: count(({ saidRunning }) => saidRunning),
    lost: results.filter(({ problems }) => problems.length > 0).map(({ round, problems }) => ({ round, problems })),
    seconds: Math.round(seconds * 10) / 10,
  }
}

function table<K extends string, V>(entries: readonly (readonly [K, V])[]): Record<K, V> {
  return Object.fromEntries(entries) as Record<K, V>
}

/** The line of a round in which something was lost. */
export function renderLost(seed: number, { round, action, fault, state, problems }: RoundResult): string {
  const repeat = `npm run chaos -- --seed ${seed} --round ${round}`
  return `LOST  seed ${seed} round ${round} (${action}, ${fault}, ${state}): ${problems.join(' | ')}\n      again: ${repeat}`
}

const MEANING: Readonly<Record<State, string>> = {
  old: 'as before the run',
  new: 'as the run wanted it',
  prefix: 'whole segments of the run, as the history says',
  partial: 'so many statements of a migration outside of a transaction, as its progress says',
  between: 'schema or contents are not what the history says: must be 0',
}

function row(title: string, values: readonly (string | number)[], note = ''): string {
  const cells = values.map((value) => String(value).padStart(9))
  return `${title.padEnd(10)}${cells.join('')}  ${note}`.trimEnd()
}

/** The summary for a person. */
export function renderSummary(summary: Summary): string {
  const states = STATES.map((state) => {
    const counts = FAULTS.map((fault) => summary.states[state][fault])
    return row(state, [...counts, counts.reduce((sum, value) => sum + value, 0)], MEANING[state])
  })
  const actions = ACTIONS.map((action) => `${summary.actions[action]} ${action}`).join(', ')
  return [
    row('', [...FAULTS, 'all']),
    row('rounds', [...FAULTS.map((fault) => summary.faults[fault]), summary.rounds], actions),
    ...states,
    row(
      'lost',
      ['', '', '', summary.lost.length],
      'of any kind: state, lock, history, answer, or the next run: must be 0',
    ),
    '',
    `seed ${summary.seed}, ${summary.seconds} s; ${summary.invocations} commands and deliveries, ${summary.struck} faults struck; ${summary.missed} rounds were over before theirs;`,
    `longest wait ${summary.longestWaitMs} ms; half-made copies of killed restores: ${summary.leftovers}; records corrected only by a later run: ${summary.saidRunning}`,
  ].join('\n')
}
