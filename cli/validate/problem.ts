import { reportOf, type LockstepError } from '../../lambda/errors.ts'
import type { ErrorReport } from '../../lambda/contract.ts'

/** Something that `validate` found. A warning does not fail it. */
export interface ValidationProblem extends Pick<
  ErrorReport,
  'code' | 'message' | 'remedy' | 'sqlState' | 'line' | 'column' | 'excerpt'
> {
  readonly severity: 'error' | 'warning'
  /** Id of the migration that it is about, if it is about one. */
  readonly migration: string | null
  /** Name of its file. */
  readonly file: string | null
}

/** An error of the engine as a problem. */
export function problemOf(thrown: unknown): ValidationProblem {
  const { state: _state, migration = null, file = null, ...report } = reportOf(thrown)
  return { severity: 'error', migration, file, ...report }
}

/** Collects what is reported, each once. */
export function collector(): {
  readonly add: (problem: ValidationProblem) => void
  readonly report: (error: LockstepError) => void
  /** By file and line; what is about no file comes last. */
  readonly problems: () => readonly ValidationProblem[]
} {
  const found = new Map<string, ValidationProblem>()
  const add = (problem: ValidationProblem): void => {
    const { migration, line, message } = problem
    const key = JSON.stringify([migration, line, message])
    if (!found.has(key)) found.set(key, problem)
  }
  return { add, report: (error) => add(problemOf(error)), problems: () => [...found.values()].toSorted(byPlace) }
}

function byPlace(left: ValidationProblem, right: ValidationProblem): number {
  const [a, b] = [left.file ?? '\uFFFF', right.file ?? '\uFFFF']
  if (a !== b) return a < b ? -1 : 1
  return (left.line ?? 0) - (right.line ?? 0)
}
