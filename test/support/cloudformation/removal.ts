import type { Effects } from './effects.ts'
import { inParallel } from './in-parallel.ts'
import type { ResourceState } from './resource.ts'
import type { Graph } from './schedule.ts'

export interface Removal {
  readonly reasons: readonly string[]
  /** What could not be deleted. */
  readonly left: readonly ResourceState[]
}

export interface RemovalOptions {
  /** Which of a resource's policies says whether it is kept. */
  readonly policy: 'deletionPolicy' | 'updateReplacePolicy'
  /** The operation that is taken back has made them. @default false */
  readonly ofRollback?: boolean
  /** Logical ids of what is kept, whatever the policy says. @default none */
  readonly retain?: readonly string[]
  /** @default 1 */
  readonly attempts?: number
}

/** A clean-up skips a resource after three attempts: repost.aws/knowledge-center/cloudformation-stack-cleanup-stuck. */
export const CLEANUP_ATTEMPTS = 3

/**
 * Deletes resources, each as soon as what depends on it is gone, or has failed to go: CloudFormation deletes what a
 * resource needs even then (aws-cloudformation/cloudformation-coverage-roadmap issues 852 and 1508).
 */
export async function removeAll(
  states: readonly ResourceState[],
  effects: Effects,
  options: RemovalOptions,
): Promise<Removal> {
  const byKey = new Map(states.map((state) => [keyOf(state), state]))
  const reasons: string[] = []
  const left: ResourceState[] = []
  const work = async (key: string): Promise<boolean> => {
    const state = byKey.get(key)
    if (state === undefined) return true
    const reason = isKept(state, options) ? effects.keep(state) : await remove(state, effects, options.attempts)
    if (reason === undefined) return true
    reasons.push(`${state.logicalId}: ${reason}`)
    left.push(state)
    return false
  }
  await inParallel(dependentsFirst(byKey), work, { rule: 'go-on' })
  return { reasons, left }
}

/** `RetainExceptOnCreate` keeps nothing that the operation which is taken back has made. */
function isKept(state: ResourceState, { policy, ofRollback = false, retain = [] }: RemovalOptions): boolean {
  if (retain.includes(state.logicalId)) return true
  return state[policy] === 'Retain' || (state[policy] === 'RetainExceptOnCreate' && !ofRollback)
}

async function remove(state: ResourceState, effects: Effects, attempts = 1): Promise<string | undefined> {
  const change = await effects.remove(state)
  if (change.ok) return undefined
  return attempts > 1 ? remove(state, effects, attempts - 1) : change.reason
}

/** A logical id has two resources while one takes the other's place. */
function keyOf({ logicalId, physicalId }: ResourceState): string {
  return `${logicalId} ${physicalId}`
}

function dependentsFirst(states: ReadonlyMap<string, ResourceState>): Graph {
  const dependentsOf = ({ logicalId }: ResourceState): ReadonlySet<string> =>
    new Set([...states].filter(([, { dependsOn }]) => dependsOn.has(logicalId)).map(([key]) => key))
  return new Map([...states].map(([key, state]) => [key, dependentsOf(state)]))
}
