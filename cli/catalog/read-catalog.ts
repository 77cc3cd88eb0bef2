import type { Catalog, CatalogEntry } from '../../lambda/engine/catalog/catalog.ts'
import { entriesSql, everything, isWithin, LINES, type Facts } from '../../lambda/engine/catalog/facts.ts'
import { quoteLiteral, type Connection, type ResultSet } from '../../lambda/engine/database.ts'
import { COMMENTS_KEY, REST, stampsSql } from './stamps.ts'

export interface CatalogScope {
  /** PostgreSQL's major version. */
  readonly major: number
  /** A schema that is left out: Lockstep's own. */
  readonly historySchema: string
  /** Whether roles count, which all databases of a server share. */
  readonly withCluster: boolean
}

/** A relation as it was read. */
interface Relation {
  readonly name: string
  /** Names of its columns by number; where others speak of it, they name it and these. */
  readonly columns: string
  readonly entry: CatalogEntry
}

/** A catalog, and what the next reading needs to read only what has changed since. */
export interface CatalogState {
  readonly catalog: Catalog
  readonly stamps: ReadonlyMap<string, string>
  readonly relations: ReadonlyMap<string, Relation>
  readonly comments: Catalog
  readonly rest: Catalog
}

/**
 * Reads the whole schema from the catalog, in or outside of a transaction: every object with all that pg_dump would say
 * of it. Of a schema that was read before, only the relations whose rows have changed are read again; where others may
 * speak of what changed (a renamed column, a table under a view, anything but relations), everything is.
 */
export async function readCatalog(
  connection: Connection,
  scope: CatalogScope,
  before: CatalogState | null = null,
): Promise<CatalogState> {
  const stamps = toStamps(await ask(connection, scope, ['EXECUTE lockstep_stamps']))
  if (before === null || before.stamps.get(REST) !== stamps.get(REST)) return readAll(connection, scope, stamps)
  const changed = [...stamps.keys()].filter((key) => isRelation(key) && before.stamps.get(key) !== stamps.get(key))
  const gone = [...before.relations.keys()].filter((key) => !stamps.has(key))
  const sameComments = before.stamps.get(COMMENTS_KEY) === stamps.get(COMMENTS_KEY)
  if (changed.length === 0 && gone.length === 0 && sameComments) return { ...before, stamps }
  const known = changed.filter((key) => before.relations.has(key))
  if (known.length > 0 && (await isSpokenOf(connection, scope, known))) return readAll(connection, scope, stamps)
  const again = await readRelations(connection, scope, changed)
  if (known.some((key) => isRenamed(before.relations.get(key), again.get(key))))
    return readAll(connection, scope, stamps)
  const relations = new Map(before.relations)
  for (const key of [...gone, ...changed]) relations.delete(key)
  for (const [key, relation] of again) relations.set(key, relation)
  const comments = sameComments ? before.comments : await readEntries(connection, scope, 'lockstep_comments')
  return stateOf({ stamps, relations, comments, rest: before.rest })
}

async function readAll(
  connection: Connection,
  scope: CatalogScope,
  stamps: CatalogState['stamps'],
): Promise<CatalogState> {
  return stateOf({
    stamps,
    relations: await readRelations(connection, scope, [...stamps.keys()].filter(isRelation)),
    comments: await readEntries(connection, scope, 'lockstep_comments'),
    rest: await readEntries(connection, scope, 'lockstep_rest'),
  })
}

function stateOf(parts: Omit<CatalogState, 'catalog'>): CatalogState {
  const relations = [...parts.relations.values()].map(({ name, entry }) => [name, entry] as const)
  return { ...parts, catalog: new Map([...relations, ...parts.comments, ...parts.rest]) }
}

function isRelation(key: string): boolean {
  return key !== REST && key !== COMMENTS_KEY
}

/** Whether a view, a function or a policy depends on one of these: its text may follow from their columns. */
async function isSpokenOf(connection: Connection, scope: CatalogScope, relations: readonly string[]): Promise<boolean> {
  const rows = await ask(connection, scope, [`EXECUTE lockstep_spoken_of(${idsSql(relations)})`])
  return rows.at(-1)?.rows[0]?.found === true
}

function isRenamed(before: Relation | undefined, now: Relation | undefined): boolean {
  if (before === undefined || now === undefined || before.name !== now.name) return true
  const [had, has] = [before, now].map(
    ({ columns }) => new Map(Object.entries(JSON.parse(columns) as Record<string, string>)),
  )
  return [...(had ?? [])].some(([number, name]) => has?.has(number) === true && has.get(number) !== name)
}

async function readRelations(
  connection: Connection,
  scope: CatalogScope,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Relation>> {
  const [names, facts] = await ask(connection, scope, [
    `EXECUTE lockstep_columns(${idsSql(ids)})`,
    `EXECUTE lockstep_relations(${idsSql(ids)})`,
  ])
  const columns = new Map((names?.rows ?? []).map((row) => [String(row.id), String(row.columns)]))
  return new Map(
    (facts?.rows ?? []).map((row) => {
      const entry = { hash: String(row.hash), lines: row.lines as readonly string[] }
      return [String(row.id), { name: String(row.name), columns: columns.get(String(row.id)) ?? '{}', entry }]
    }),
  )
}

async function readEntries(connection: Connection, scope: CatalogScope, statement: string): Promise<Catalog> {
  const [result] = await ask(connection, scope, [`EXECUTE ${statement}`])
  return new Map(
    (result?.rows ?? []).map((row) => [
      String(row.name),
      { hash: String(row.hash), lines: row.lines as readonly string[] },
    ]),
  )
}

function toStamps([result]: readonly ResultSet[]): ReadonlyMap<string, string> {
  return new Map((result?.rows ?? []).map((row) => [String(row.key), String(row.stamp)]))
}

function idsSql(ids: readonly string[]): string {
  return quoteLiteral(`{${ids.join(',')}}`)
}

/** Names are qualified where the search path does not find them: nowhere. */
const SETTINGS = ["SET search_path = ''", 'SET jit = off', 'SET plan_cache_mode = force_generic_plan']
const RESETTINGS = ['RESET search_path', 'RESET jit', 'RESET plan_cache_mode']

/** Sessions that have the statements prepared: planning them would take longer than the answer. */
const prepared = new WeakSet<Connection>()

/** To be called after what may have thrown a session's prepared statements away (`DISCARD ALL`, `DEALLOCATE`, code). */
export function forgetPrepared(connection: Connection): void {
  prepared.delete(connection)
}

async function ask(
  connection: Connection,
  scope: CatalogScope,
  statements: readonly string[],
): Promise<readonly ResultSet[]> {
  const before = [...SETTINGS, ...(prepared.has(connection) ? [] : preparations(scope))]
  const results = await connection.execute([...before, ...statements, ...RESETTINGS].join(';\n'))
  prepared.add(connection)
  return results.slice(before.length, before.length + statements.length)
}

function preparations({ major, historySchema, withCluster }: CatalogScope): readonly string[] {
  const own = [historySchema]
  const facts: Facts = everything({ major, withCluster }, 'c.oid = ANY ($1)')
  return [
    'DEALLOCATE ALL',
    `PREPARE lockstep_stamps AS ${stampsSql(major, withCluster)}`,
    `PREPARE lockstep_relations(oid[]) AS SELECT id::text, name, ${LINES} FROM (${facts.relations.join('\nUNION ALL\n')}) AS f(id, name, line)
WHERE line IS NOT NULL AND NOT (${isWithin('name', own)}) GROUP BY id, name`,
    `PREPARE lockstep_columns(oid[]) AS SELECT attrelid::text AS id, json_object_agg(attnum, attname)::text AS columns FROM pg_catalog.pg_attribute
WHERE attrelid = ANY ($1) AND attnum > 0 AND NOT attisdropped GROUP BY attrelid`,
    `PREPARE lockstep_spoken_of(oid[]) AS SELECT EXISTS (SELECT FROM pg_catalog.pg_depend d LEFT JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY ($1) AND d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_policy'::regclass)
  AND (r.oid IS NULL OR r.ev_class <> d.refobjid)) AS found`,
    `PREPARE lockstep_comments AS ${entriesSql(facts.comments, own)}`,
    `PREPARE lockstep_rest AS ${entriesSql(facts.rest, own)}`,
  ]
}
