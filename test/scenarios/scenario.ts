import type { WorldOptions } from '../e2e/world.ts'
import type { FinalStatus } from '../support/cloudformation/stack-status.ts'
import type { MigrationSet } from './sets.ts'
import type { Stage } from './stage.ts'

/**
 * Where a database is: as before the change, as the change wants it, or in the one place on the way that the error must
 * name. Anything else is `between`, and always a failure.
 */
export type State = 'old' | 'new' | 'named' | 'between'

/** What the states of a scenario look like: as each of these sets makes an empty database. */
export interface Places {
  readonly old: MigrationSet
  readonly new: MigrationSet
  /** Allowed only where nothing can be taken back: the end must name it. */
  readonly named?: MigrationSet
}

/** One thing that happens. */
export type Step = (stage: Stage) => Promise<void>

/** What stands in front of, or in place of, the server that all scenarios share. */
export type ServerKind = 'shared' | 'own' | 'asleep'

/** How a scenario must end. */
export interface Expected {
  /** Of the last deployment. */
  readonly stackStatus: FinalStatus
  readonly state: Exclude<State, 'between'>
  /** What the last deployment asked of custom resources, and the answers: `Update SUCCESS`. */
  readonly calls?: readonly string[]
  /** All in the reasons of the last deployment and its answers. */
  readonly reason?: readonly RegExp[]
  /** All in the functions' log. */
  readonly log?: readonly RegExp[]
  /** All in the Data of the last answer, by key. */
  readonly data?: Readonly<Record<string, string>>
  /** How long each call of a migration function may take. */
  readonly callsWithinSeconds?: number
}

/** A life cycle of a stack, from an empty database to its end. */
export interface Scenario extends Places {
  readonly title: string
  readonly world?: WorldOptions
  /** @default 'shared' */
  readonly server?: ServerKind
  readonly steps: readonly Step[]
  readonly expected: Expected
}

/** Scenarios that belong together. */
export interface Theme {
  readonly name: string
  readonly scenarios: readonly Scenario[]
}
