import type pg from 'pg'
import type { DriftDifference } from '../../lambda/drift-contract.ts'
import type { Catalog } from '../../lambda/engine/catalog/catalog.ts'
import { readStructure, type StructureScope } from '../../lambda/engine/catalog/read-structure.ts'
import { driftBetween, passingBetween } from '../../lambda/engine/drift/difference.ts'
import type { Connection } from '../../lambda/engine/database.ts'
import { messageOf } from '../../lambda/errors.ts'
import type { ShadowServer } from '../shadow/shadow-server.ts'
import type { Copies } from './reconcile.ts'
import { isIgnored } from './ignored.ts'
import { forget, structureAt } from './scratch.ts'
import { dumpStructure, restoreStructure, type StructureScripts } from './structure-copy.ts'

/** A database that is looked at. */
export interface Side {
  readonly connection: Connection
  readonly openClient: () => Promise<pg.Client>
}

export interface Comparison {
  readonly differences: readonly DriftDifference[]
  /** That were not to be counted. */
  readonly ignored: number
  /** Both structures, without what is ignored. Null: there is no need of them, or they cannot be had. */
  readonly copies: Copies | null
  /** Why they cannot be had. */
  readonly obstacle: string | null
}

/**
 * Compares the live database with what its history makes. Where the two differ, both are dumped and restored on the
 * scratch server: an expression that was restored is written in another way than one that was not, and is the same.
 *
 * @param ignore - patterns of what does not count
 */
export async function compareStructures(
  server: ShadowServer,
  sides: { readonly live: Side; readonly history: Side },
  scope: StructureScope,
  ignore: readonly string[],
): Promise<Comparison> {
  const wanted = await readStructure(sides.history.connection, scope)
  const found = await readStructure(sides.live.connection, scope)
  const all = driftBetween(wanted, found)
  const counted = all.filter((difference) => !isIgnored(difference, ignore))
  const ignored = all.length - counted.length
  if (counted.length === 0) return { differences: [], ignored, copies: null, obstacle: null }
  try {
    const unwanted = [...passingBetween(wanted, found), ...all.filter((difference) => isIgnored(difference, ignore))]
    const live = await copied(server, await dumpStructure(sides.live.openClient, scope.own), scope, unwanted, 'added')
    const history = await copied(
      server,
      await dumpStructure(sides.history.openClient, scope.own),
      scope,
      unwanted,
      'missing',
    )
    const rewritten = driftBetween(history.catalog, live.catalog)
    const differences = counted.flatMap((difference) => withoutRewriting(difference, rewritten))
    return { differences, ignored, copies: { live: live.name, history: history.name }, obstacle: null }
  } catch (error) {
    return { differences: counted, ignored, copies: null, obstacle: messageOf(error) }
  }
}

interface Copied {
  readonly name: string
  readonly catalog: Catalog
}

/** The structure once it was dumped and restored. @throws what could not be restored */
async function copied(
  server: ShadowServer,
  scripts: StructureScripts,
  scope: StructureScope,
  unwanted: readonly DriftDifference[],
  change: DriftDifference['change'],
): Promise<Copied> {
  const copy = await restoreStructure(server, scripts)
  const [failure] = copy.failures
  if (failure !== undefined) throw new Error(failure)
  const forgotten = unwanted.filter((difference) => difference.change === change)
  await forget(server, copy.name, forgotten)
  return { name: copy.name, catalog: await structureAt(server, copy.name, scope) }
}

/** What pg_dump does not write, and so is not in the copies. */
const NOT_DUMPED = / invalid\b|^internal trigger of /

/** The details that are left when both are written in the same way. */
function withoutRewriting(
  difference: DriftDifference,
  rewritten: readonly DriftDifference[],
): readonly DriftDifference[] {
  if (difference.change !== 'changed') return [difference]
  const same = rewritten.find(({ kind, identity }) => kind === difference.kind && identity === difference.identity)
  const left = new Set((same?.details ?? []).map(({ property }) => property))
  const details = difference.details.filter(
    ({ property, was, is }) =>
      was === null || is === null || left.has(property) || [property, was, is].some((text) => NOT_DUMPED.test(text)),
  )
  return details.length === 0 ? [] : [{ ...difference, details }]
}
