import { isDeepStrictEqual } from 'node:util'
import { embeddedMetrics } from '../support/embedded-metrics.ts'
import { differencesOf, pictureOf } from './picture.ts'
import type { State, Step } from './scenario.ts'
import type { MigrationSet } from './sets.ts'

/** Checks where the database is on the way. */
export function expectState(expected: Exclude<State, 'between'>): Step {
  return async ({ look, problems }) => {
    const { state, differences } = await look()
    if (state !== expected) {
      problems.push(`on the way the database was ${state} in place of ${expected}: ${differences.join('; ')}`)
    }
  }
}

/** Checks what the other database looks like: as a set of migrations makes an empty one. */
export function expectOther(set: MigrationSet): Step {
  return async ({ world, reference, problems, stacks }) => {
    // What a custom resource still does when its deployment is over.
    for (const stack of stacks()) await stack.settled()
    const found = await pictureOf(world.otherDatabase?.url ?? '', world.credentials.username)
    const differences = differencesOf(await reference(set), found)
    if (differences.length > 0) problems.push(`the other database: ${differences.join('; ')}`)
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

/** Checks which values of a metric CloudWatch makes of the functions' log so far. */
export function expectMetric(name: string, values: readonly number[]): Step {
  return async ({ world, problems }) => {
    const metrics = embeddedMetrics(await world.lambda.logs())
    const expected = values.map((value) => ({
      namespace: 'Lockstep',
      name,
      unit: 'Count',
      dimensions: { Set: 'default' },
      value,
    }))
    if (!isDeepStrictEqual(metrics, expected)) problems.push(`the log holds the metrics ${JSON.stringify(metrics)}`)
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
