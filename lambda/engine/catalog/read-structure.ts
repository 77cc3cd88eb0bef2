import type { Connection } from '../database.ts'
import type { Catalog } from './catalog.ts'
import { entriesSql, isWithin, LINES, structure } from './facts.ts'

/** What of a database is read. */
export interface StructureScope {
  /** PostgreSQL's major version. */
  readonly major: number
  /** Schemas that are left out: Lockstep's own. */
  readonly own: readonly string[]
}

/**
 * Texts that are the same whoever asks: names are qualified where the search path does not find them, which is nowhere,
 * and constants are written in one way. For the one message only.
 */
const SETTINGS = [
  `SET LOCAL search_path = ''`,
  `SET LOCAL jit = off`,
  `SET LOCAL timezone = 'UTC'`,
  `SET LOCAL datestyle = 'ISO, MDY'`,
  `SET LOCAL intervalstyle = 'postgres'`,
  `SET LOCAL extra_float_digits = 1`,
  `SET LOCAL bytea_output = 'hex'`,
  `SET LOCAL xmloption = 'content'`,
  `SET LOCAL quote_all_identifiers = off`,
]

/**
 * Reads what migrations make, wherever the database is: without what extensions and RDS bring along, and without whatever
 * an environment gives its database. One round trip, outside of a transaction.
 */
export async function readStructure(connection: Connection, scope: StructureScope): Promise<Catalog> {
  const { major, own } = scope
  const facts = structure(major)
  const relations = `SELECT name, ${LINES} FROM (${facts.relations.join('\nUNION ALL\n')}) AS f(id, name, line)
WHERE line IS NOT NULL AND NOT (${isWithin('name', own)}) GROUP BY id, name`
  const others = entriesSql([...facts.comments, ...facts.rest], own)
  const results = await connection.execute([...SETTINGS, relations, others].join(';\n'))
  return new Map(
    results
      .slice(SETTINGS.length)
      .flatMap(({ rows }) => rows)
      .map((row) => [String(row.name), { hash: String(row.hash), lines: row.lines as readonly string[] }]),
  )
}
