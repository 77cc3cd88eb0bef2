/** A qualified name, quoted where it must be. */
export const NAMED = (schema: string, name: string): string => `quote_ident(${schema}) || '.' || quote_ident(${name})`

/** With `n` for the namespace: another session's, or this one's temporary objects are no part of a schema. */
export const NOT_TEMPORARY = `n.nspname !~ '^pg_(temp|toast)'`

/** The names of options whose values nobody is told, before their equals sign. */
const SECRET_OPTION = '^[^=]*(password|passwd|passphrase|secret|token|api_?key|access_?key)[^=]*='

/**
 * Settings of an array, in an order of their own: one that is set again comes last. Of a secret only that it is
 * another is told.
 */
export const OPTIONS = (array: string): string =>
  `(SELECT string_agg(CASE WHEN o ~* '${SECRET_OPTION}' THEN split_part(o, '=', 1) || '=' || md5(o) ELSE o END, ',' ORDER BY o) FROM unnest(${array}) o)`

/** What is granted, in an order of its own: grants come in any. */
export const GRANTED = (acl: string): string =>
  `(SELECT string_agg(i::text, ',' ORDER BY i::text) FROM unnest(${acl}) i)`

/** An object that an extension has brought along. */
export const MEMBER = (catalog: string, id: string): string =>
  `EXISTS (SELECT FROM pg_depend own WHERE own.classid = '${catalog}'::regclass AND own.objid = ${id} AND own.deptype = 'e')`

/** How much is said of a schema: pieces of SQL. */
export interface Parts {
  /** Privileges that differ from what the owner has anyway; in an order of its own, because grants come in any. */
  readonly acl: (acl: string, kind: string, owner: string) => string
  /** What is granted on a column. */
  readonly granted: (sql: string) => string
  /** ` owner <name>` of a role's id. */
  readonly owner: (owner: string) => string
  /** A condition: the object counts. Of some it matters whose it is. */
  readonly counts: (catalog: string, id: string, owner?: string) => string
  /** A condition: the comment `d` on `o` counts. */
  readonly commented: string
  /** Whether what is not the same in every environment is said as well. */
  readonly isFull: boolean
  /** Says it then. */
  readonly inFull: (sql: string) => string
}

/** One query: a group, and a line that says all of one thing. */
export type Fact = (parts: Parts) => string

/** Everything that pg_dump would say. */
export const EVERYTHING: Parts = {
  acl: (acl, kind, owner) => `CASE WHEN ${acl} IS NULL THEN '' ELSE
  coalesce((SELECT nullif(' acl ' || coalesce(string_agg(i::text, ',' ORDER BY i::text), ''),
      ' acl ' || (SELECT string_agg(w::text, ',' ORDER BY w::text) FROM unnest(acldefault(${kind}, ${owner})) w))
    FROM unnest(${acl}) i), '') END`,
  granted: (sql) => sql,
  owner: (owner) => `' owner ' || quote_ident(pg_get_userbyid(${owner}))`,
  counts: () => 'true',
  commented: 'true',
  isFull: true,
  inFull: (sql) => sql,
}

/** The role of RDS that owns what RDS itself puts into every database. */
const RDS = `'rdsadmin'`

/**
 * What migrations make, and nothing that depends on where the database is: neither owners and privileges, which other
 * tools look after, nor what extensions and RDS bring along.
 */
export const STRUCTURE: Parts = {
  acl: () => `''`,
  granted: () => `''`,
  owner: () => `''`,
  counts: (catalog, id, owner) =>
    `NOT ${MEMBER(catalog, id)}${owner === undefined ? '' : ` AND pg_get_userbyid(${owner}) <> ${RDS}`}`,
  commented: `o.type NOT IN ('extension', 'large object') AND d.description <> 'standard public schema'
  AND NOT EXISTS (SELECT FROM pg_depend own WHERE own.classid = d.classoid AND own.objid = d.objoid AND own.deptype = 'e')`,
  isFull: false,
  inFull: () => `''`,
}
