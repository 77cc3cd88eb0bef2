import type { Connection, Row } from '../database.ts'
import { HARMLESS_EXTENSIONS, RUN_SQL } from './statement-kinds.ts'

/** A table, view or composite type. */
export interface Relation {
  readonly oid: string
  readonly schema: string
  readonly name: string
  /** It has rows of its own: a plain table or a partition. */
  readonly hasRows: boolean
}

/** A function that may change rows, or call one that does. */
export interface SuspectFunction {
  readonly oid: string
  readonly schema: string
  readonly name: string
  /** Its CREATE FUNCTION; null: what it does cannot be read. */
  readonly definition: string | null
  readonly language: string
}

export interface Reference {
  readonly child: string
  /** A change or deletion of a row that is referred to changes rows of the child. */
  readonly cascades: boolean
}

/** What the closure over a database's objects needs to know. Everything is by oid. */
export interface Catalog {
  readonly relations: ReadonlyMap<string, Relation>
  readonly relationsByName: ReadonlyMap<string, readonly Relation[]>
  /** Schemas that names without one are looked for in. */
  readonly searchPath: ReadonlySet<string>
  /** Partitions and tables that inherit, of their parents. */
  readonly children: ReadonlyMap<string, readonly string[]>
  /** Foreign keys, of the tables that they refer to. */
  readonly references: ReadonlyMap<string, readonly Reference[]>
  /** What a relation's rules read and write: of views, what is behind them. */
  readonly ruleTargets: ReadonlyMap<string, readonly string[]>
  /** Relations on which a write may become another statement. */
  readonly rewritten: ReadonlySet<string>
  /** Functions of a relation's triggers, and of their conditions. */
  readonly triggers: ReadonlyMap<string, readonly string[]>
  /** Functions that a relation's defaults, constraints, policies, indexes and rules call. */
  readonly expressions: ReadonlyMap<string, readonly string[]>
  readonly functions: ReadonlyMap<string, SuspectFunction>
  readonly functionsByName: ReadonlyMap<string, readonly SuspectFunction[]>
  /** Names of all functions, those of PostgreSQL itself too. */
  readonly functionNames: ReadonlySet<string>
  /** Functions that no statement names: behind operators, casts, aggregates, domains and event triggers, disabled ones too. */
  readonly implicit: readonly string[]
}

const RELATIONS = `SELECT c.oid::text AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind = 'r' AS has_rows,
  n.nspname = ANY (pg_catalog.current_schemas(false)) AS in_path
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`

const CHILDREN = `SELECT inhparent::text AS key, inhrelid::text AS value FROM pg_catalog.pg_inherits`

const REFERENCES = `SELECT confrelid::text AS key, conrelid::text AS value,
  confdeltype NOT IN ('a', 'r') OR confupdtype NOT IN ('a', 'r') AS cascades
FROM pg_catalog.pg_constraint WHERE contype = 'f'`

const RULE_TARGETS = `SELECT DISTINCT r.ev_class::text AS key, d.refobjid::text AS value
FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_depend d
  ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> r.ev_class AND r.oid >= 16384`

const REWRITTEN = `SELECT DISTINCT ev_class::text AS key FROM pg_catalog.pg_rewrite WHERE ev_type <> '1' AND oid >= 16384`

const TRIGGERS = `SELECT DISTINCT t.tgrelid::text AS key, d.refobjid::text AS value
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_depend d
  ON d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND d.objid = t.oid
WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND NOT t.tgisinternal`

const EXPRESSIONS = `WITH part (classid, objid, relid) AS (
  SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass, oid, adrelid FROM pg_catalog.pg_attrdef
  UNION ALL SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, oid, conrelid FROM pg_catalog.pg_constraint WHERE conrelid <> 0
  UNION ALL SELECT 'pg_catalog.pg_policy'::pg_catalog.regclass, oid, polrelid FROM pg_catalog.pg_policy
  UNION ALL SELECT 'pg_catalog.pg_rewrite'::pg_catalog.regclass, oid, ev_class FROM pg_catalog.pg_rewrite
  UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, indexrelid, indrelid FROM pg_catalog.pg_index
  UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, oid, oid FROM pg_catalog.pg_class)
SELECT DISTINCT part.relid::text AS key, d.refobjid::text AS value
FROM pg_catalog.pg_depend d JOIN part ON part.classid = d.classid AND part.objid = d.objid
WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass`

const RUN_SQL_NAMES = [...RUN_SQL].map((name) => `'${name}'`).join(', ')

/** Of PostgreSQL's own functions no dependency is kept: those that matter are looked for in what is stored of a call. */
const OWN_CALLS = `WITH own (oid) AS (
  SELECT oid FROM pg_catalog.pg_proc WHERE oid < 16384 AND proname IN (${RUN_SQL_NAMES})
), called (pattern) AS (SELECT ':funcid (' || string_agg(oid::text, '|') || ') ' FROM own), part (relid, tree) AS (
  SELECT adrelid, adbin::text FROM pg_catalog.pg_attrdef
  UNION ALL SELECT conrelid, conbin::text FROM pg_catalog.pg_constraint WHERE conrelid <> 0
  UNION ALL SELECT polrelid, concat(polqual, polwithcheck) FROM pg_catalog.pg_policy
  UNION ALL SELECT ev_class, concat(ev_qual, ev_action) FROM pg_catalog.pg_rewrite WHERE oid >= 16384
  UNION ALL SELECT tgrelid, tgqual::text FROM pg_catalog.pg_trigger)
SELECT DISTINCT part.relid::text AS key, own.oid::text AS value FROM called, part, own
WHERE part.tree ~ called.pattern AND part.tree ~ (':funcid ' || own.oid || ' ')`

const FUNCTIONS = `SELECT p.oid::text AS oid, n.nspname::text AS schema, p.proname::text AS name, p.provolatile = 'v' AS volatile,
  l.lanname::text AS language, x.extname::text AS extension,
  CASE WHEN p.prokind IN ('f', 'p') AND l.lanname IN ('sql', 'plpgsql')
    THEN pg_catalog.pg_get_functiondef(p.oid) END AS definition
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang
  LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'
  LEFT JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
WHERE p.oid >= 16384 AND p.prokind <> 'a' OR p.oid < 16384 AND p.proname IN (${RUN_SQL_NAMES})`

const FUNCTION_NAMES = `SELECT DISTINCT proname::text AS name FROM pg_catalog.pg_proc`

const IMPLICIT = `SELECT oprcode::pg_catalog.oid::text AS oid FROM pg_catalog.pg_operator WHERE oid >= 16384
UNION SELECT castfunc::text FROM pg_catalog.pg_cast WHERE oid >= 16384
UNION SELECT f::pg_catalog.oid::text FROM pg_catalog.pg_aggregate,
  unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn, aggmtransfn, aggminvtransfn, aggmfinalfn]) AS f WHERE aggfnoid::pg_catalog.oid >= 16384
UNION SELECT amproc::pg_catalog.oid::text FROM pg_catalog.pg_amproc WHERE oid >= 16384
UNION SELECT f::pg_catalog.oid::text FROM pg_catalog.pg_type,
  unnest(ARRAY[typinput, typoutput, typreceive, typsend]) AS f WHERE oid >= 16384 AND typtype = 'b'
UNION SELECT evtfoid::text FROM pg_catalog.pg_event_trigger
UNION SELECT d.refobjid::text FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_depend d
  ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = c.oid
  WHERE c.contypid <> 0 AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
UNION SELECT d.refobjid::text FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
  AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass`

/** Reads what the closure needs. Nobody needs a privilege for it. */
export async function readCatalog(connection: Connection): Promise<Catalog> {
  const read = async (sql: string): Promise<readonly Row[]> => (await connection.query(sql)).rows
  const rows = await read(RELATIONS)
  const relations = rows.map(toRelation)
  const functions = await read(FUNCTIONS)
  const mayWrite = functions.filter(isSuspect).map(toFunction)
  const names = await read(FUNCTION_NAMES)
  return {
    relations: new Map(relations.map((relation) => [relation.oid, relation])),
    relationsByName: Map.groupBy(relations, ({ name }) => name),
    searchPath: new Set(rows.filter((row) => row.in_path === true).map((row) => String(row.schema))),
    children: grouped(await read(CHILDREN), toValue),
    references: grouped(await read(REFERENCES), toReference),
    ruleTargets: grouped(await read(RULE_TARGETS), toValue),
    rewritten: new Set((await read(REWRITTEN)).map((row) => String(row.key))),
    triggers: grouped(await read(TRIGGERS), toValue),
    expressions: grouped([...(await read(EXPRESSIONS)), ...(await read(OWN_CALLS))], toValue),
    functions: new Map(mayWrite.map((found) => [found.oid, found])),
    functionsByName: Map.groupBy(mayWrite, ({ name }) => name),
    functionNames: new Set(names.map((row) => String(row.name))),
    implicit: (await read(IMPLICIT)).map((row) => String(row.oid)),
  }
}

function toRelation(row: Row): Relation {
  return { oid: String(row.oid), schema: String(row.schema), name: String(row.name), hasRows: row.has_rows === true }
}

/**
 * PostgreSQL lets a function that is declared stable or immutable change nothing itself, but not so one that it calls.
 * What is written in C is believed.
 */
function isSuspect({ name, volatile, language, extension }: Row): boolean {
  if (RUN_SQL.has(String(name))) return true
  const isCompiled = language === 'c' || language === 'internal'
  if (volatile === true) return !(isCompiled && HARMLESS_EXTENSIONS.has(String(extension)))
  return !isCompiled && !HARMLESS_EXTENSIONS.has(String(extension))
}

function toFunction(row: Row): SuspectFunction {
  const definition = typeof row.definition === 'string' ? row.definition : null
  return {
    oid: String(row.oid),
    schema: String(row.schema),
    name: String(row.name),
    definition,
    language: String(row.language),
  }
}

function toReference(row: Row): Reference {
  return { child: String(row.value), cascades: row.cascades === true }
}

function toValue(row: Row): string {
  return String(row.value)
}

function grouped<T>(rows: readonly Row[], valueOf: (row: Row) => T): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const row of rows) {
    const values = groups.get(String(row.key)) ?? []
    values.push(valueOf(row))
    groups.set(String(row.key), values)
  }
  return groups
}
