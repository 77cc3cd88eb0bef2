import { setTimeout as delay } from 'node:timers/promises'
import { lockKey } from '../../lambda/engine/lock/lock.ts'
import { until } from '../support/wait.ts'
import type { Step } from './scenario.ts'
import type { Stage } from './stage.ts'

/** Runs steps at the same time. */
export function atOnce(...steps: readonly Step[]): Step {
  return async (stage) => void (await Promise.all(steps.map((step) => step(stage))))
}

/** Runs a step, and others one after the other while its slow migration runs. */
export function whileMigrating(step: Step, ...others: readonly Step[]): Step {
  return async (stage) => {
    const ended = step(stage)
    await Promise.race([ended, until(() => isMigrating(stage))])
    for (const other of others) await other(stage)
    await ended
  }
}

/** Runs a step while somebody else holds the set's lock, and others once it waits; then the lock is free. */
export function whileLocked(step: Step, ...others: readonly Step[]): Step {
  return async (stage) => {
    const holder = await stage.world.database.connect('another run')
    await holder.execute(`SELECT pg_advisory_lock(${lockKey('lockstep', 'default')})`)
    const ended = step(stage)
    try {
      await until(() => isWaiting(stage))
      for (const other of others) await other(stage)
    } finally {
      await holder.close()
    }
    await ended
  }
}

/** Whether a run has asked for the lock. */
async function isWaiting({ world }: Stage): Promise<boolean> {
  const rows = await world.database.rows(
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_try_advisory_lock%' AND pid <> pg_backend_pid()",
  )
  return rows.length > 0
}

/** Waits until a resource of the stack was asked to go away, and has answered. */
export const untilDeleted: Step = ({ stacks }) =>
  until(async () => stacks().some((stack) => stack.responses().some(({ event }) => event.RequestType === 'Delete')))

/** Whether the statement that the slow migrations wait in runs. */
export async function isMigrating({ world }: Stage): Promise<boolean> {
  const rows = await world.database.rows(
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep(%' AND pid <> pg_backend_pid()",
  )
  return rows.length > 0
}

/** Runs steps one after the other. */
export function inSequence(...steps: readonly Step[]): Step {
  return async (stage) => {
    for (const step of steps) await step(stage)
  }
}

export function wait(milliseconds: number): Step {
  return () => delay(milliseconds)
}
