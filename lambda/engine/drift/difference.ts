import type { DriftChange, DriftDetail, DriftDifference } from '../../drift-contract.ts'
import { differenceBetween, type Catalog, type CatalogDifference } from '../catalog/catalog.ts'
import { kindOf, propertyOf } from './property.ts'

/**
 * How the database differs from what it should be, by object. Pure. A partition that only one of the two has is no
 * difference: in operation they come and go.
 *
 * @param wanted - what it should be
 * @param found - what it is
 */
export function driftBetween(wanted: Catalog, found: Catalog): readonly DriftDifference[] {
  return differenceBetween(wanted, found)
    .filter((difference) => !isComingAndGoing(difference))
    .flatMap((difference) =>
      toDrift(difference, (found.get(difference.name) ?? wanted.get(difference.name))?.lines ?? []),
    )
}

/** Partitions that only one of the two has. Pure. */
export function passingBetween(wanted: Catalog, found: Catalog): readonly DriftDifference[] {
  return differenceBetween(wanted, found)
    .filter(isComingAndGoing)
    .flatMap((difference) => toDrift(difference, [...difference.missing, ...difference.added]))
}

function isComingAndGoing({ missing, added, isWhole }: CatalogDifference): boolean {
  return isWhole && [...missing, ...added].some((line) => line.startsWith('partition of '))
}

function toDrift(
  { name, missing, added, isWhole }: CatalogDifference,
  all: readonly string[],
): readonly DriftDifference[] {
  const details = detailsOf(missing, added)
  const { kind, identity } = kindOf(name, all)
  if (isWhole) return [{ kind, identity, change: wholeChange(missing), details: details.filter(saysSomething) }]
  return details.length === 0 ? [] : [{ kind, identity, change: 'changed', details }]
}

function saysSomething({ was, is }: DriftDetail): boolean {
  return (was ?? is) !== ''
}

function wholeChange(missing: readonly string[]): DriftChange {
  return missing.length > 0 ? 'missing' : 'added'
}

/** Says the same as the column's own line. */
const IMPLIED = /^not null NOT NULL (?:"(?:[^"]|"")+"|\S+)$/

function detailsOf(missing: readonly string[], added: readonly string[]): readonly DriftDetail[] {
  const [had, has] = [missing, added].map((lines) => lines.filter((line) => !IMPLIED.test(line)).map(propertyOf))
  const left = [...(has ?? [])]
  const changed = (had ?? []).map(({ property, value }): DriftDetail => {
    const index = left.findIndex((other) => other.property === property)
    const [same] = index === -1 ? [] : left.splice(index, 1)
    return { property, was: value, is: same?.value ?? null }
  })
  const all = [...changed, ...left.map(({ property, value }): DriftDetail => ({ property, was: null, is: value }))]
  return all.filter((detail) => !isImpliedOrder(detail))
}

/** An order that follows from columns that are gone, and from new ones behind the others. */
function isImpliedOrder({ property, was, is }: DriftDetail): boolean {
  if (property !== 'order of columns' || was === null || is === null) return false
  const [had, has] = [columnsIn(was), columnsIn(is)]
  const kept = had.filter((name) => has.includes(name))
  const added = has.filter((name) => !had.includes(name))
  return [...kept, ...added].join() === has.join()
}

function columnsIn(order: string): readonly string[] {
  return order.match(/"(?:[^"]|"")+"|[^\s,]+/g) ?? []
}

/** The longest value that is told on a line. */
const LONGEST = 80

/** One line on a difference. */
export function describeDifference({ kind, identity, change, details }: DriftDifference): string {
  const what = identity === '' ? kind : `${kind} ${identity}`
  if (change === 'added') return `${what} is not Lockstep's`
  if (change === 'missing') return `${what} is gone`
  const [first, ...others] = details
  const more = others.length === 0 ? '' : ` (and ${others.length} more of it)`
  return first === undefined ? what : `${what}: ${describeDetail(first)}${more}`
}

function describeDetail({ property, was, is }: DriftDetail): string {
  if (was === null) return `${property} is new`
  if (is === null) return `${property} is gone`
  if (isLong(was) || isLong(is)) return `${property} is another`
  return `${property} was "${was}" and is "${is}"`
}

function isLong(value: string): boolean {
  return value.length > LONGEST || value.includes('\n')
}
