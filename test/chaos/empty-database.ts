import type { ChaosServer } from './chaos-server.ts'

/** Ends every session, and takes away everything that the rounds before have made. */
const EMPTY_SQL = `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid();
DROP SCHEMA IF EXISTS lockstep CASCADE;
DROP SCHEMA public CASCADE;
CREATE SCHEMA public`

/** Makes a database that has nothing in it; one that is there already is emptied, which is ten times as fast. */
export async function emptyDatabase(server: ChaosServer, name: string): Promise<void> {
  const found = await server.query('postgres', `SELECT FROM pg_database WHERE datname = '${name}'`)
  if (found.length === 0) await server.query('postgres', `CREATE DATABASE ${name} TEMPLATE template0`)
  await server.query(name, EMPTY_SQL)
}

/** Drops the databases whose names match. */
export async function dropDatabases(server: ChaosServer, pattern: string): Promise<void> {
  const found = await server.query('postgres', `SELECT datname FROM pg_database WHERE datname ~ '${pattern}'`)
  for (const { datname } of found) await server.query('postgres', `DROP DATABASE "${String(datname)}" WITH (FORCE)`)
}
