import { UNTOUCHED } from '../../lambda/errors.ts'
import type { Answer } from './command.ts'
import type { State } from './round.ts'

/** Where a command that lived through the fault lied about the database. */
export function answerFaults(
  answer: Answer | null,
  seen: { readonly state: State; readonly current: string | null },
): readonly string[] {
  if (answer === null) return []
  const { status, rolledBack, current, error } = answer
  const lie = (claim: string): readonly string[] => [
    `the command said ${claim}, but the state is ${seen.state} at ${String(seen.current)}${error ? ` (${error.code}: ${error.message} ${error.state})` : ''}`,
  ]
  if (status === 'succeeded') return seen.state === 'new' ? [] : lie('that it succeeded')
  if (rolledBack === true && seen.state !== 'old') return lie('that it rolled back')
  if (error?.state === UNTOUCHED && seen.state !== 'old') return lie('that it touched nothing')
  const isKnown = error !== undefined && current !== undefined && !error.state.startsWith('Not known')
  return isKnown && current !== seen.current ? lie(`that the database is at ${String(current)}`) : []
}
