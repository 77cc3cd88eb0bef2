import type { Connection } from '../../lambda/engine/database.ts'
import { takeStatistics } from '../lint/statistics.ts'
import type { Sizes } from './estimate.ts'

/** How large every table is, partitions among them, which statistics count for their parents otherwise. */
export async function readSizes(connection: Connection, database: string, history: string): Promise<Sizes> {
  const { rows } = await connection.query(
    `SELECT n.nspname || '.' || c.relname AS name FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', $1)`,
    [history],
  )
  const names = rows.map((row) => String(row.name))
  return (await takeStatistics(connection, { database, history, names, sampleMs: 0 })).relations
}
