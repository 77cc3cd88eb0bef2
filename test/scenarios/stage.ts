import type { World } from '../e2e/world.ts'
import type { Assembly } from '../support/cloudformation/assembly.ts'
import type { Deployment, Stack } from '../support/cloudformation/stack-types.ts'
import type { AppInput } from './assemblies.ts'
import type { Picture } from './picture.ts'
import type { ScenarioServer } from './server.ts'
import type { State } from './scenario.ts'
import type { MigrationSet } from './sets.ts'

/** Where a scenario is played. */
export interface Stage {
  readonly world: World
  readonly server: ScenarioServer
  readonly assembly: (input: AppInput) => Promise<Assembly>
  /** What a database looks like after a set of migrations, made without Lockstep. */
  readonly reference: (set: MigrationSet) => Promise<Picture>
  /** The stack of this name; made when it is first asked for, nested in the other one. */
  readonly stack: (name: string, within?: Stack) => Stack
  /** Every stack so far. */
  readonly stacks: () => readonly Stack[]
  /** Where the database is now, and what differs from where it is nearest to. */
  readonly look: () => Promise<{ readonly state: State; readonly differences: readonly string[] }>
  /** Every deployment so far, oldest first. Steps add to it. */
  readonly deployments: Deployment[]
  /** What was not as the steps expect. Steps add to it. */
  readonly problems: string[]
  /** Passwords, which nobody may say. Steps add to it. */
  readonly secretTexts: string[]
}
