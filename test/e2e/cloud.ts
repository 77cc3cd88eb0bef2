import { expect, inject, onTestFinished } from 'vitest'
import type { Stack } from '../support/cloudformation/stack-types.ts'
import { openWorld, type World, type WorldOptions } from './world.ts'

/** A world of its own for one test, with one stack. */
export interface Cloud extends World {
  /** The stack that migrates the database; nothing is deployed yet. */
  readonly stack: Stack
}

/** Starts all of it; when the test has finished, fails it if the password was ever said. */
export async function startCloud(options: WorldOptions = {}): Promise<Cloud> {
  const world = await openWorld(inject('serverUrl'), options)
  const stack = world.createStack('Shop')
  onTestFinished(async () => {
    const said = await world.everythingSaid()
    await world.close()
    const leaks = said.split('\n').filter((line) => line.includes(world.credentials.password))
    expect(leaks, 'the password was said').toEqual([])
  })
  return { ...world, stack }
}
