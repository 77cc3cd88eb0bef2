import { UNTOUCHED } from '../../lambda/errors.ts'
import type { Answer } from './command.ts'
import type { State } from './round.ts'

/** What a run was found to have come to. */
export interface Seen {
  readonly state: State
  readonly current: string | null
  /** Whether the database is where it was before this try of the run. */
  readonly unchanged: boolean
}

/** Where a process that lived through the fault lied about the database. */
export function answerFaults(answer: Answer | null, seen: Seen): readonly string[] {
  if (answer === null) return []
  const { status, rolledBack, current, error } = answer
  const lie = (claim: string): readonly string[] => [
    `the command said ${claim}, but the state is ${seen.state} at ${String(seen.current)}${error ? ` (${error.code}: ${error.message} ${error.state})` : ''}`,
  ]
  if (status === 'paused') return []
  if (status === 'succeeded') return seen.state === 'new' ? [] : lie('that it succeeded')
  if (rolledBack === true && !seen.unchanged) return lie('that it rolled back')
  if (error?.state === UNTOUCHED && !seen.unchanged) return lie('that it touched nothing')
  const isKnown = error !== undefined && current !== undefined && !error.state.startsWith('Not known')
  return isKnown && current !== seen.current ? lie(`that the database is at ${String(current)}`) : []
}
