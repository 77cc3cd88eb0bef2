import { isDeepStrictEqual } from 'node:util'
import type { State, Step } from './scenario.ts'

/** Checks where the database is on the way. */
export function expectState(expected: Exclude<State, 'between'>): Step {
  return async ({ look, problems }) => {
    const { state, differences } = await look()
    if (state !== expected) {
      problems.push(`on the way the database was ${state} in place of ${expected}: ${differences.join('; ')}`)
    }
  }
}

/** Checks what a query gives. */
export function expectRows(sql: string, expected: readonly Readonly<Record<string, unknown>>[]): Step {
  return async ({ world, problems }) => {
    const rows = await world.database.rows(sql)
    if (!isDeepStrictEqual(rows, expected)) {
      problems.push(`${sql} gave ${JSON.stringify(rows)} in place of ${JSON.stringify(expected)}`)
    }
  }
}

/** Checks how many runs changed the database: an event that arrives again must not make another. */
export function expectRuns(count: number): Step {
  return expectRows('SELECT count(*)::int AS runs FROM lockstep.runs', [{ runs: count }])
}

/** Checks how often, at least, the migration function was invoked so far. */
export function expectInvocations(least: number): Step {
  return async ({ world, problems }) => {
    const names = world.migrationFunctions()
    const count = names.flatMap((name) => world.lambda.invocations(name)).length
    if (count < least) problems.push(`the function was invoked ${count} times in place of ${least}`)
  }
}
