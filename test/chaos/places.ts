import { differences, withoutInvalidIndexes } from './fingerprint.ts'
import type { GeneratedMigration } from './migration-set.ts'
import type { Observation } from './observe.ts'
import type { Place, Reference } from './reference.ts'

/** Where a database was found to be. */
export type Found =
  | { readonly kind: 'place'; readonly place: Place }
  /** Catalog or contents are not what the history says. */
  | { readonly kind: 'between'; readonly differences: readonly string[] }

/**
 * The place that the history tells, if the database is really there. Only a statement that the progress says to be in
 * flight may have run or not, or have left an invalid index; and of code in flight, any number.
 */
export async function locate(
  observation: Observation,
  { set, reference }: { readonly set: readonly GeneratedMigration[]; readonly reference: Reference },
): Promise<Found> {
  const told = toldPlace(observation)
  const next = stepsAfter(told, observation, set)
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

/** Where the statement in flight leads, or each of those of the code. */
function stepsAfter(told: Place, { progress }: Observation, set: readonly GeneratedMigration[]): readonly Place[] {
  const [own] = progress
  if (own?.inFlight !== true) return []
  const migration = set.find(({ id }) => id === own.id)
  const most = migration?.language === 'ts' ? migration[own.direction].length : 1
  return Array.from({ length: most }, (_, index) =>
    own.direction === 'up' ? { ...told, done: told.done + index + 1 } : { ...told, undone: told.undone + index + 1 },
  )
}

/** Why a database is at no place where it may be, for a person. */
export function describeBetween(found: Found, { applied, progress }: Observation): readonly string[] {
  const underWay = progress.map(
    ({ id, direction, done, inFlight }) =>
      `, the ${direction} of ${id} up to statement ${done}${inFlight ? ' (another in flight)' : ''}`,
  )
  const told = `${applied.length} applied${underWay.join('')}`
  if (found.kind === 'place') return [`${told}: no place where this run may stop`]
  return [`the history says ${told}, but: ${found.differences.slice(0, 4).join('; ')}`]
}
