import type { ChaosServer } from './chaos-server.ts'

/** Marks the lines of indexes that a broken concurrent build or drop has left. */
const INVALID = 'invalid index'

const CATALOG_SQL = `WITH own AS (
  SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'lockstep')
)
SELECT format('relation %s %s', c.relname, c.relkind) AS line
  FROM pg_class c JOIN own ON own.oid = c.relnamespace WHERE c.relkind <> 'i'
UNION ALL SELECT format('column %s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attnotnull THEN 'not null' END, pg_get_expr(d.adbin, d.adrelid))
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN own ON own.oid = c.relnamespace
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind <> 'i'
UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(c.oid))
  FROM pg_constraint c JOIN own ON own.oid = c.connamespace
UNION ALL SELECT format('%s %s', CASE WHEN indisvalid THEN 'index' ELSE '${INVALID}' END, pg_get_indexdef(indexrelid))
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN own ON own.oid = c.relnamespace
UNION ALL SELECT format('enum %s %s', t.typname, string_agg(enumlabel, ', ' ORDER BY enumsortorder))
  FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN own ON own.oid = t.typnamespace GROUP BY t.typname
UNION ALL SELECT format('function %s', pg_get_functiondef(p.oid))
  FROM pg_proc p JOIN own ON own.oid = p.pronamespace`

const TABLES_SQL = `SELECT relname::text AS name FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`

/** Schema and contents of a database but for Lockstep's own, as sorted lines that can be compared and shown. */
export async function fingerprint(server: ChaosServer, database: string): Promise<readonly string[]> {
  const tables = await server.query(database, TABLES_SQL)
  // As JSON, because the order of the columns depends on what was dropped and added again.
  const contents = tables.map(
    ({ name }) => `SELECT '${String(name)}' || ' holds ' || to_jsonb(t)::text FROM public."${String(name)}" t`,
  )
  const found = await server.query(database, [CATALOG_SQL, ...contents].join('\nUNION ALL '))
  return found.map(({ line }) => String(line)).toSorted()
}

/** Without the indexes that are not valid. */
export function withoutInvalidIndexes(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !line.startsWith(INVALID))
}

/** What differs, for a person; empty when nothing does. */
export function differences(expected: readonly string[], found: readonly string[]): readonly string[] {
  const missing = expected.filter((line) => !found.includes(line)).map((line) => `missing: ${line}`)
  const extra = found.filter((line) => !expected.includes(line)).map((line) => `not expected: ${line}`)
  const counts = missing.length + extra.length === 0 && expected.length !== found.length ? ['lines are doubled'] : []
  return [...missing, ...extra, ...counts]
}
