import { messageOf } from '../../lambda/errors.ts'
import { openWorld } from '../e2e/world.ts'
import type { Stack } from '../support/cloudformation/stack-types.ts'
import type { Assemblies } from './assemblies.ts'
import { checkEnd } from './check.ts'
import { differencesOf, pictureOf } from './picture.ts'
import type { References } from './references.ts'
import type { Places, Scenario, State } from './scenario.ts'
import { startScenarioServer } from './server.ts'
import type { Stage } from './stage.ts'

/** What scenarios share. */
export interface Theatre {
  /** URL of a PostgreSQL server, as its superuser. */
  readonly serverUrl: string
  readonly assemblies: Assemblies
  readonly references: References
}

/** What became of a scenario. */
export interface Outcome {
  readonly title: string
  /** Of the last deployment; empty when none came to its end. */
  readonly stackStatus: string
  readonly state: State | 'unknown'
  /** The longest answer to CloudFormation. */
  readonly bytes: number
  readonly seconds: number
  /** What CloudFormation was told, of the last deployment. */
  readonly reason: string
  /** What happened to the stack and its custom resources in the last deployment, oldest first. */
  readonly events: readonly string[]
  /** What was not as expected; empty when all was. */
  readonly problems: readonly string[]
}

/** Plays a scenario in a world of its own. Does not throw: what goes wrong is a problem. */
export async function play(scenario: Scenario, theatre: Theatre): Promise<Outcome> {
  const began = performance.now()
  const seconds = (): number => (performance.now() - began) / 1000
  const { title } = scenario
  try {
    return { title, ...(await playOn(scenario, theatre)), seconds: seconds() }
  } catch (error) {
    const problems = [`could not be played: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`]
    return { title, stackStatus: '', state: 'unknown', bytes: 0, reason: '', events: [], seconds: seconds(), problems }
  }
}

async function playOn(scenario: Scenario, theatre: Theatre): Promise<Omit<Outcome, 'title' | 'seconds'>> {
  const server = await startScenarioServer(scenario.server ?? 'shared', theatre.serverUrl)
  try {
    const world = await openWorld(server.url, {
      disposableServer: server.isDisposable,
      ...(server.port === undefined ? {} : { databasePort: server.port }),
      ...scenario.world,
    })
    try {
      const stacks = new Map<string, Stack>()
      const stage: Stage = {
        world,
        server,
        assembly: theatre.assemblies.get,
        reference: theatre.references,
        deployments: [],
        problems: [],
        secretTexts: [world.credentials.password],
        stack: (name, within) => {
          const stack = stacks.get(name) ?? world.createStack(name, within)
          stacks.set(name, stack)
          return stack
        },
        stacks: () => [...stacks.values()],
        look: () => look(world.database.url, world.credentials.username, scenario, theatre.references),
      }
      await perform(stage, scenario)
      return await checkEnd(stage, scenario)
    } finally {
      await world.close()
    }
  } finally {
    await server.stop()
  }
}

/** What cannot be done is a problem beside those that led to it. */
async function perform(stage: Stage, { steps }: Scenario): Promise<void> {
  try {
    for (const step of steps) await step(stage)
  } catch (error) {
    stage.problems.push(`could not be played to its end: ${messageOf(error)}`)
  }
}

async function look(
  url: string,
  owner: string,
  places: Places,
  references: References,
): Promise<{ readonly state: State; readonly differences: readonly string[] }> {
  const found = await pictureOf(url, owner)
  const candidates: readonly (readonly [State, Places['old'] | undefined])[] = [
    ['old', places.old],
    ['new', places.new],
    ['named', places.named],
  ]
  let nearest: readonly string[] | null = null
  for (const [state, set] of candidates) {
    if (set === undefined) continue
    const differences = differencesOf(await references(set), found)
    if (differences.length === 0) return { state, differences }
    if (nearest === null || differences.length < nearest.length) nearest = differences
  }
  return { state: 'between', differences: nearest ?? [] }
}
