/** A qualified name, quoted where it must be. */
export const NAMED = (schema: string, name: string): string => `quote_ident(${schema}) || '.' || quote_ident(${name})`

/** With `n` for the namespace: another session's, or this one's temporary objects are no part of a schema. */
export const NOT_TEMPORARY = `n.nspname !~ '^pg_(temp|toast)'`

/** Privileges that differ from what the owner has anyway; in an order of its own, because grants come in any. */
export const ACL = (acl: string, kind: string, owner: string): string => `CASE WHEN ${acl} IS NULL THEN '' ELSE
  coalesce((SELECT nullif(' acl ' || coalesce(string_agg(i::text, ',' ORDER BY i::text), ''),
      ' acl ' || (SELECT string_agg(w::text, ',' ORDER BY w::text) FROM unnest(acldefault(${kind}, ${owner})) w))
    FROM unnest(${acl}) i), '') END`

/** ` owner <name>` of a role's id. */
export const OWNER = (owner: string): string => `' owner ' || quote_ident(pg_get_userbyid(${owner}))`
