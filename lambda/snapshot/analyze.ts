import { shareOut, type SessionPool } from './session-pool.ts'

/** Few enough for one statement, many enough that the round trips do not count. */
const SMALL_TABLES = 50
/** A table of so many pages is a task of its own. */
const LARGE_PAGES = 1000

/**
 * What ANALYZE without a name takes: tables, materialized views, and partitioned tables, which bring their partitions
 * along. The largest first.
 */
const ANALYZABLE = `
  SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, c.relpages AS pages
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'm', 'p') AND NOT c.relispartition
     AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   ORDER BY c.relkind = 'p' DESC, c.relpages DESC`

/** Gathers the planner's statistics for the whole database. */
export async function analyzeAll(pool: SessionPool): Promise<void> {
  const { rows } = await pool.sessions[0].query<{ name: string; pages: number }>(ANALYZABLE)
  const large = rows.filter(({ pages }) => pages >= LARGE_PAGES).map(({ name }) => [name])
  const small = rows.filter(({ pages }) => pages < LARGE_PAGES).map(({ name }) => name)
  const tasks = [...large, ...chunksOf(small, SMALL_TABLES)]
  await shareOut(pool, tasks, async (session, names) => {
    await session.query(`ANALYZE ${names.join(', ')}`)
  })
}

function chunksOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
