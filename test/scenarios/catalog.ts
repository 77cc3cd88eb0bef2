import { CREATION } from './creation.ts'
import { CREDENTIALS } from './credentials.ts'
import { DATABASE } from './database.ts'
import { DELETION } from './deletion.ts'
import { DELIVERY } from './delivery.ts'
import { LIMITS } from './limits.ts'
import { LONG_RUNS } from './long-runs.ts'
import { NO_ROLLBACK } from './no-rollback.ts'
import { OBSTACLES } from './obstacles.ts'
import { REQUIREMENT } from './requirement.ts'
import { ROLLBACK } from './rollback.ts'
import type { Scenario, Theme } from './scenario.ts'
import { SNAPSHOTS } from './snapshots.ts'
import { TWO_STACKS } from './two-stacks.ts'
import { UNREACHABLE } from './unreachable.ts'
import { UPDATE } from './update.ts'

const THEMES: readonly Theme[] = [
  CREATION,
  UPDATE,
  ROLLBACK,
  UNREACHABLE,
  OBSTACLES,
  NO_ROLLBACK,
  DELETION,
  TWO_STACKS,
  REQUIREMENT,
  DELIVERY,
  LIMITS,
  LONG_RUNS,
  SNAPSHOTS,
  CREDENTIALS,
  DATABASE,
]

/** The scenarios whose theme or title contains a text, titled with their theme. */
export function chosenScenarios(text = ''): readonly Scenario[] {
  const wanted = text.toLowerCase()
  return THEMES.flatMap(({ name, scenarios }) =>
    scenarios.map((scenario) => ({ ...scenario, title: `${name}: ${scenario.title}` })),
  ).filter(({ title }) => title.toLowerCase().includes(wanted))
}
