import { schemaOf } from '../support/schema.ts'
import { rowsOf } from '../support/scratch-database.ts'

/** What is in a database, as texts that can be compared and shown. */
export interface Picture {
  /** Schema as pg_dump writes it, and rows, without Lockstep's own. */
  readonly contents: readonly string[]
  /** Ids that the history says are applied, sorted. */
  readonly history: readonly string[]
}

const TABLES_SQL = `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
WHERE schemaname !~ '^pg_' AND schemaname NOT IN ('information_schema', 'lockstep')`

/** pg_dump leaves them out. */
const INVALID_INDEXES_SQL = `SELECT 'invalid index: ' || indexrelid::regclass AS line FROM pg_index WHERE NOT indisvalid`

/** Looks at a database without asking Lockstep. `owner` is who its objects belong to. */
export async function pictureOf(url: string, owner: string): Promise<Picture> {
  const tables = await rowsOf(url, TABLES_SQL)
  const rows = tables.map(
    ({ name }) => `SELECT '${String(name)} holds ' || to_jsonb(t)::text AS line FROM ${String(name)} t`,
  )
  const lines = await rowsOf(url, [INVALID_INDEXES_SQL, ...rows].join(' UNION ALL '))
  const schema = objectsOf(await schemaOf({ url })).map((text) => text.replaceAll(owner, 'owner'))
  return {
    contents: [...schema, ...lines.map(({ line }) => String(line))].toSorted(),
    history: await historyOf(url),
  }
}

/** pg_dump's statements, one text for each object. */
function objectsOf(dump: string): readonly string[] {
  return dump
    .split(/^--\n(?=-- Name: )/m)
    .slice(1)
    .filter((text) => !/\blockstep\b/.test(text.split('\n', 1)[0] ?? ''))
    .map((text) => text.replaceAll(/^(?:--|SET |SELECT pg_catalog\.set_config).*\n?/gm, '').trim())
    .filter((text) => text !== '')
}

async function historyOf(url: string): Promise<readonly string[]> {
  const [found] = await rowsOf(url, "SELECT to_regclass('lockstep.progress') IS NOT NULL AS there")
  if (found?.['there'] !== true) return []
  const rows = await rowsOf(
    url,
    "SELECT id FROM lockstep.migrations UNION ALL SELECT 'a part of ' || id FROM lockstep.progress ORDER BY 1",
  )
  return rows.map(({ id }) => String(id))
}

/** What differs, for a person; empty when nothing does. */
export function differencesOf(expected: Picture, found: Picture): readonly string[] {
  return [
    ...compared('', expected.contents, found.contents),
    ...compared('in the history, ', expected.history, found.history),
  ]
}

function compared(where: string, expected: readonly string[], found: readonly string[]): readonly string[] {
  const missing = expected.filter((text) => !found.includes(text)).map((text) => `${where}missing: ${text}`)
  const extra = found.filter((text) => !expected.includes(text)).map((text) => `${where}not expected: ${text}`)
  const doubled = missing.length + extra.length === 0 && expected.length !== found.length
  return [...missing, ...extra, ...(doubled ? [`${where}lines are doubled`] : [])]
}
