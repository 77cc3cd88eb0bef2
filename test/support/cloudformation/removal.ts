import type { ResourceState } from './resource.ts'
import type { Resources } from './resources.ts'
import { ordered } from './template.ts'

export interface Removal {
  readonly reasons: readonly string[]
  /** What could not be deleted, and what it depends on. */
  readonly left: readonly ResourceState[]
}

export interface RemovalOptions {
  /** Which of a resource's policies says whether it is kept. */
  readonly policy: 'deletionPolicy' | 'updateReplacePolicy'
  /** @default 1 */
  readonly attempts?: number
}

/** A clean-up skips a resource after three attempts: repost.aws/knowledge-center/cloudformation-stack-cleanup-stuck. */
export const CLEANUP_ATTEMPTS = 3

/** Deletes resources, those that depend on others first. What one still needs that cannot be deleted stays as well. */
export async function removeAll(
  states: readonly ResourceState[],
  resources: Resources,
  { policy, attempts = 1 }: RemovalOptions,
): Promise<Removal> {
  const reasons: string[] = []
  const left: ResourceState[] = []
  for (const state of dependentsFirst(states)) {
    if (left.some(({ dependsOn }) => dependsOn.has(state.logicalId))) left.push(state)
    else if (state[policy] !== 'Retain') {
      const reason = await remove(state, resources, attempts)
      if (reason === undefined) continue
      reasons.push(`${state.logicalId}: ${reason}`)
      left.push(state)
    }
  }
  return { reasons, left }
}

async function remove(state: ResourceState, resources: Resources, attempts: number): Promise<string | undefined> {
  const change = await resources.handlerOf(state).remove(state)
  if (change.ok) return undefined
  return attempts > 1 ? remove(state, resources, attempts - 1) : change.reason
}

function dependentsFirst(states: readonly ResourceState[]): readonly ResourceState[] {
  const dependencies = new Map(states.map(({ logicalId, dependsOn }) => [logicalId, dependsOn]))
  const order = ordered([...dependencies.keys()], (id) => dependencies.get(id) ?? new Set())
  const rank = ({ logicalId }: ResourceState): number => order.indexOf(logicalId)
  return states.toSorted((one, other) => rank(other) - rank(one))
}
