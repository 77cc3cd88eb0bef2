import { quoteLiteral } from '../database.ts'
import { MEMBERS, OBJECT_FACTS } from './object-facts.ts'
import { COMMENTS, otherFacts, surroundingFacts } from './other-facts.ts'
import { relationFacts } from './relation-facts.ts'
import { EVERYTHING, STRUCTURE, type Fact, type Parts } from './sql-parts.ts'

/** Queries that together say everything of a schema. */
export interface Facts {
  /** A relation's id, its name, and a line that says all of one thing. */
  readonly relations: readonly string[]
  /** A name and a line each, as are the rest. */
  readonly comments: readonly string[]
  readonly rest: readonly string[]
}

/**
 * All that pg_dump would say.
 *
 * @param ids - a condition on `c.oid`: the relations that are asked for
 */
export function everything(
  server: {
    /** PostgreSQL's major version. */
    readonly major: number
    /** Whether roles count, which all databases of a server share. */
    readonly withCluster: boolean
  },
  ids: string,
): Facts {
  const { major, withCluster } = server
  const more = [MEMBERS, ...surroundingFacts(major, withCluster)]
  return factsOf(EVERYTHING, ids, [...OBJECT_FACTS, ...otherFacts(major), ...more])
}

/** What migrations make, wherever the database is. */
export function structure(major: number): Facts {
  return factsOf(STRUCTURE, 'c.oid >= 16384', [...OBJECT_FACTS, ...otherFacts(major)])
}

function factsOf(parts: Parts, ids: string, rest: readonly Fact[]): Facts {
  return {
    relations: relationFacts(parts, ids),
    comments: [COMMENTS(parts)],
    rest: rest.map((fact) => fact(parts)),
  }
}

/** Lines of one name, and a hash of them. */
export const LINES = `array_agg(line ORDER BY line COLLATE "C") AS lines, md5(string_agg(line, chr(10) ORDER BY line COLLATE "C")) AS hash`

/** Rows of `name`, `lines` and `hash`. @param own - schemas that are left out */
export function entriesSql(facts: readonly string[], own: readonly string[]): string {
  return `SELECT name, ${LINES} FROM (${facts.join('\nUNION ALL\n')}) AS f(name, line) WHERE line IS NOT NULL AND NOT (${isOwn(own)}) GROUP BY name`
}

/** A condition: the relation of this name is in one of these schemas. */
export function isWithin(name: string, schemas: readonly string[]): string {
  return orFalse(schemas.map((schema) => `starts_with(${name}, quote_ident(${quoteLiteral(schema)}) || '.')`))
}

function isOwn(schemas: readonly string[]): string {
  return orFalse(
    schemas.map((schema) => {
      const own = `quote_ident(${quoteLiteral(schema)})`
      return `name IN ('schema ' || ${own}, 'comment on schema ' || ${own}) OR starts_with(name, 'comment on ') AND strpos(name, ' ' || ${own} || '.') > 0`
    }),
  )
}

function orFalse(conditions: readonly string[]): string {
  return conditions.length === 0 ? 'false' : conditions.join(' OR ')
}
