import { parseSync } from 'libpg-query'
import { quoteIdentifier, quoteLiteral, type Connection } from '../database.ts'
import type { Statement } from '../migration/statements.ts'

/** A session whose lock is in the way. Its query is not read: it may hold data. */
export interface Blocker {
  readonly pid: number
  readonly application: string
  /** When its transaction began; null when the user may not see it. */
  readonly since: string | null
  readonly relation: string
}

/** The first relation that is no part of PostgreSQL's own catalogs. */
const FIRST_OWN_RELATION = 16_384

/**
 * Who has kept a statement waiting for `waitedMs`, asked after its transaction was rolled back: pg_blocking_pids answers
 * only while it waits. Whoever did was in its transaction before the wait began. Null when nobody can be named; never
 * throws.
 */
export async function findBlocker(
  connection: Connection,
  statement: Statement | null,
  waitedMs: number,
): Promise<Blocker | null> {
  const names = statement === null ? [] : relationsIn(statement)
  try {
    const { rows } = await connection.query(blockerSql(names, waitedMs))
    const [found] = rows
    if (found === undefined) return null
    return {
      pid: Number(found.pid),
      application: String(found.application),
      since: typeof found.since === 'string' ? found.since : null,
      relation: String(found.relation),
    }
  } catch {
    return null
  }
}

export function describeBlocker({ pid, application, since, relation }: Blocker): string {
  const began = since === null ? '' : `, in a transaction since ${since}`
  return `pid ${pid}, ${application}${began}, holds a lock on ${relation}`
}

function blockerSql(names: readonly string[], waitedMs: number): string {
  const wanted =
    names.length === 0
      ? `l.relation >= ${FIRST_OWN_RELATION}`
      : `l.relation IN (WITH named AS (SELECT pg_catalog.to_regclass(name)::oid AS oid
      FROM pg_catalog.unnest(ARRAY[${names.map(quoteLiteral).join(', ')}]) name)
    SELECT oid FROM named WHERE oid IS NOT NULL
    UNION SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid IN (SELECT oid FROM named)
    UNION SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent IN (SELECT oid FROM named))`
  return `SELECT a.pid, coalesce(nullif(a.application_name, ''), a.backend_type, 'an unknown application') AS application,
  to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since,
  l.relation::pg_catalog.regclass::text AS relation
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_catalog.pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND (a.xact_start IS NULL OR a.xact_start <= pg_catalog.clock_timestamp() - interval '${Math.floor(waitedMs)} ms')
  AND ${wanted}
ORDER BY a.xact_start NULLS LAST LIMIT 1`
}

/** Names of tables and indexes as they stand in the statement, quoted. */
function relationsIn(statement: Statement): readonly string[] {
  const names = new Set<string>()
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    if ('relname' in node && typeof node.relname === 'string') {
      names.add(qualified('schemaname' in node ? [node.schemaname, node.relname] : [node.relname]))
    }
    if ('objects' in node && Array.isArray(node.objects)) for (const name of droppedNames(node.objects)) names.add(name)
    for (const child of Object.values(node)) visit(child)
  }
  visit(parseSync(statement.sql))
  return [...names]
}

/** `{ List: { items: [{ String: { sval } }, …] } }` for each object; a trigger's or a policy's begins with its table. */
function droppedNames(objects: readonly unknown[]): readonly string[] {
  const lists = objects as readonly { readonly List?: { readonly items?: readonly NameItem[] } }[]
  return lists.flatMap(({ List }) => {
    const parts = (List?.items ?? []).map((item) => item.String?.sval)
    return parts.length < 2 ? [qualified(parts)] : [qualified(parts), qualified(parts.slice(0, -1))]
  })
}

interface NameItem {
  readonly String?: { readonly sval?: string }
}

function qualified(parts: readonly unknown[]): string {
  return parts
    .filter((part) => typeof part === 'string')
    .map(quoteIdentifier)
    .join('.')
}
