import type { Outcome } from './play.ts'
import type { Scenario } from './scenario.ts'
import type { MigrationSet } from './sets.ts'

/** The lines of a table whose columns are as wide as these scenarios need. */
export interface Table {
  readonly header: string
  readonly line: (outcome: Outcome) => string
}

export function tableFor(scenarios: readonly Scenario[]): Table {
  const widest = Math.max(...scenarios.map(({ title }) => title.length))
  const line = (...[mark, title, status, state, bytes, seconds]: readonly string[]): string =>
    [
      (mark ?? '').padEnd(6),
      (title ?? '').padEnd(widest),
      (status ?? '').padEnd(24),
      (state ?? '').padEnd(8),
      (bytes ?? '').padStart(5),
      (seconds ?? '').padStart(7),
    ].join('  ')
  return {
    header: line('', 'SCENARIO', 'STACK', 'DATABASE', 'BYTES', 'SECONDS'),
    line: ({ title, stackStatus, state, bytes, seconds, problems }) =>
      line(problems.length === 0 ? 'ok' : 'FAILED', title, stackStatus, state, String(bytes), seconds.toFixed(1)),
  }
}

/** What was expected of a failed scenario, what was found, and how to see it again. */
export function renderFailure(scenario: Scenario, { problems, reason, events }: Outcome): string {
  const { stackStatus, state } = scenario.expected
  const lines = [
    `expected  ${stackStatus}, database ${state} (old: ${nameOf(scenario.old)}, new: ${nameOf(scenario.new)})`,
    ...problems.map((problem) => `found     ${problem.replaceAll('\n', '\n          ')}`),
    `reason    ${reason.replaceAll('\n', '\n          ') || 'none'}`,
    ...events.map((event) => `event     ${event}`),
    `again     npm run scenarios -- --only ${JSON.stringify(scenario.title)}`,
  ]
  return lines.map((line) => line.replaceAll(/^/gm, '        ')).join('\n')
}

function nameOf(set: MigrationSet): string {
  return typeof set === 'string' ? set : (Object.keys(set).at(-1) ?? 'nothing')
}

/** The last line. */
export function renderSum(outcomes: readonly Outcome[], seconds: number): string {
  const failed = outcomes.filter(({ problems }) => problems.length > 0).length
  const between = outcomes.filter(({ state }) => state === 'between').length
  return `${outcomes.length - failed} as expected, ${failed} not; ${between} between; ${seconds.toFixed(0)} s`
}

/** The one document of `--json`. */
export function jsonOf(scenarios: readonly Scenario[], outcomes: readonly Outcome[], seconds: number): object {
  const failed = outcomes.filter(({ problems }) => problems.length > 0).length
  return {
    ok: failed === 0,
    scenarios: outcomes.length,
    failed,
    between: outcomes.filter(({ state }) => state === 'between').length,
    seconds: rounded(seconds),
    results: outcomes.map((outcome) => ({
      ...outcome,
      seconds: rounded(outcome.seconds),
      ok: outcome.problems.length === 0,
      expected: expectedOf(scenarios.find(({ title }) => title === outcome.title)),
    })),
  }
}

function expectedOf(scenario: Scenario | undefined): object {
  return { stackStatus: scenario?.expected.stackStatus, state: scenario?.expected.state }
}

function rounded(seconds: number): number {
  return Math.round(seconds * 10) / 10
}
