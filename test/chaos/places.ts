import { differences, withoutInvalidIndexes } from './fingerprint.ts'
import type { Observation } from './observe.ts'
import type { Place, Reference } from './reference.ts'

/** Where a database was found to be. */
export type Found =
  | { readonly kind: 'place'; readonly place: Place }
  /** Catalog or contents are not what the history says. */
  | { readonly kind: 'between'; readonly differences: readonly string[] }

/**
 * The place that the history tells, if the database is really there. Only a statement that the progress says to be in
 * flight may have run or not, or have left an invalid index.
 */
export async function locate(observation: Observation, reference: Reference): Promise<Found> {
  const told = toldPlace(observation)
  const next = stepAfter(told, observation)
  const expected = await reference.at(told)
  const nearest = differences(expected, observation.lines)
  if (nearest.length === 0) return { kind: 'place', place: told }
  for (const place of next) {
    const lines = await reference.at(place)
    if (isSame(lines, observation.lines)) return { kind: 'place', place }
    if (isSame(lines, withoutInvalidIndexes(observation.lines))) return { kind: 'place', place }
  }
  const half = next.length > 0 && isSame(expected, withoutInvalidIndexes(observation.lines))
  return half ? { kind: 'place', place: next[0] ?? told } : { kind: 'between', differences: nearest }
}

function isSame(expected: readonly string[], found: readonly string[]): boolean {
  return differences(expected, found).length === 0
}

function toldPlace({ applied, progress }: Observation): Place {
  const [own] = progress
  const done = own?.direction === 'up' ? own.done : 0
  return { applied: applied.length, done, undone: own?.direction === 'down' ? own.done : 0 }
}

/** Where the statement in flight leads. */
function stepAfter(told: Place, { progress }: Observation): readonly Place[] {
  const [own] = progress
  if (own?.inFlight !== true) return []
  return [own.direction === 'up' ? { ...told, done: told.done + 1 } : { ...told, undone: told.undone + 1 }]
}
