import { qualified } from './catalog.ts'
import { Fault } from './fault.ts'
import type { SnapshotManifest, SnapshotTable } from './manifest.ts'
import type { TableName } from './scope.ts'
import type { ScriptStatement } from './script-statement.ts'

/** A table that is restored beside its original: under its own name, in another schema. */
export interface Copy extends TableName {
  readonly intoSchema: string
  /** Its rows in the snapshot; null for a partitioned table, which has none of its own. */
  readonly rows: SnapshotTable | null
}

export interface CopyRequest {
  /** `schema.table`. */
  readonly tables: readonly string[]
  /** The schema that the tables of this one go to. */
  readonly intoSchema: (schema: string) => string
}

/**
 * The tables to restore, with all partitions of the partitioned ones. Pure.
 *
 * @param preData The statements that make the tables.
 * @throws Fault naming tables that the snapshot does not have, or of which it has no rows, and names that meet or may be two tables.
 */
export function chooseCopies(
  manifest: SnapshotManifest,
  preData: readonly ScriptStatement[],
  { tables, intoSchema }: CopyRequest,
): readonly Copy[] {
  const rows = new Map(manifest.tables.map((table) => [keyOf(table), table]))
  const { known, partitions } = structureOf(preData)
  const unknown = tables.filter((name) => !known.has(name))
  if (unknown.length > 0) throw notThere(unknown, [...rows.keys()])
  for (const name of tables) refuseAmbiguous(manifest, name)
  const wanted = [...new Set(tables.flatMap((name) => [name, ...below(partitions, name)]))]
  const copies = wanted.map((key): Copy => {
    const own = rows.get(key) ?? null
    const { schema, name } = own ?? partitioned(key)
    return { schema, name, intoSchema: intoSchema(schema), rows: own }
  })
  refuseWithoutRows(copies)
  refuseSameNames(copies)
  return copies
}

export function keyOf({ schema, name }: TableName): string {
  return `${schema}.${name}`
}

interface Structure {
  readonly known: ReadonlySet<string>
  readonly partitions: ReadonlyMap<string, readonly string[]>
}

function structureOf(preData: readonly ScriptStatement[]): Structure {
  const known = new Set<string>()
  const partitions = new Map<string, string[]>()
  for (const { effect } of preData) {
    if (effect.kind === 'table') known.add(effect.table)
    if (effect.kind !== 'attach-table') continue
    partitions.set(effect.table, [...(partitions.get(effect.table) ?? []), effect.partition])
  }
  return { known, partitions }
}

function below(partitions: Structure['partitions'], table: string): readonly string[] {
  return (partitions.get(table) ?? []).flatMap((partition) => [partition, ...below(partitions, partition)])
}

/** A name of a partitioned table; a point in its schema's name cannot be told from the one between the two. */
function partitioned(key: string): TableName {
  const [schema = '', ...name] = key.split('.')
  return { schema, name: name.join('.') }
}

function notThere(unknown: readonly string[], known: readonly string[]): Fault {
  const similar = known.filter((name) => unknown.some((wanted) => name.split('.').at(-1) === wanted.split('.').at(-1)))
  const hint = similar.length === 0 ? '' : `, but ${similar.slice(0, 5).join(', ')}`
  return new Fault(
    `the snapshot holds no table ${unknown.join(', ')}${hint}.`,
    'Give tables as schema.table, such as public.orders, in upper and lower case as they are.',
  )
}

/** Names may have a point in them. */
function refuseAmbiguous(manifest: SnapshotManifest, name: string): void {
  const meant = manifest.tables.filter((table) => keyOf(table) === name)
  if (meant.length < 2) return
  throw new Fault(
    `"${name}" may be ${meant.map(qualified).join(' or ')}.`,
    'Restore the whole snapshot beside the database with "into" (--into NAME).',
  )
}

function refuseWithoutRows(copies: readonly Copy[]): void {
  const without = copies.filter(({ rows }) => rows !== null && rows.omitted !== null)
  if (without.length > 0) {
    throw new Fault(
      `the snapshot holds no rows of ${without.map(keyOf).join(', ')}.`,
      'Choose a snapshot whose scope holds them ("snapshots" lists them).',
    )
  }
  const foreign = copies.filter(({ rows }) => rows !== null && rows.filter !== null)
  if (foreign.length === 0) return
  throw new Fault(
    `${foreign.map(keyOf).join(', ')} belongs to an extension, which cannot be in a second schema.`,
    'Restore the whole snapshot beside the database with "into" (--into NAME).',
  )
}

function refuseSameNames(copies: readonly Copy[]): void {
  const places = Map.groupBy(copies, ({ intoSchema, name }) => `${intoSchema}.${name}`)
  const shared = [...places].find(([, meeting]) => meeting.length > 1)
  if (shared === undefined) return
  throw new Fault(
    `${shared[1].map(keyOf).join(' and ')} cannot both become ${shared[0]}.`,
    'Restore them one after the other, or without naming a schema: each gets one of its own then.',
  )
}
