import { MigrationError, Umzug } from 'umzug'
import type { Step } from '../plan/step.ts'

/**
 * Lets umzug run steps of one direction in the given order. It is told only of these: which ones they are was planned
 * from files and history before, and the history is written in each migration's own transaction, not by umzug.
 *
 * @throws whatever `perform` threw
 */
export async function driveSteps(steps: readonly Step[], perform: (step: Step) => Promise<void>): Promise<void> {
  const names = steps.map((step) => step.id)
  const isDown = steps[0]?.direction === 'down'
  const umzug = new Umzug({
    migrations: steps.map((step) => ({ name: step.id, up: () => perform(step), down: () => perform(step) })),
    storage: {
      executed: async () => (isDown ? names : []),
      logMigration: async () => {},
      unlogMigration: async () => {},
    },
    logger: undefined,
  })
  try {
    await (isDown ? umzug.down({ migrations: names }) : umzug.up({ migrations: names }))
  } catch (error) {
    throw error instanceof MigrationError ? error.cause : error
  }
}
