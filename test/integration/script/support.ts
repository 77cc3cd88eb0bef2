import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { EngineContext } from '../../../lambda/engine/context.ts'
import { plan, status, type PlanRequest } from '../../../lambda/engine/inspect.ts'
import { migrateDown, migrateUp } from '../../../lambda/engine/run/migrate.ts'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { engineFor, sql } from '../../support/engine.ts'
import { schemaOf } from '../../support/schema.ts'
import { writeFiles } from '../../support/source-files.ts'

const run = promisify(execFile)

export const hasPsql = await run('psql', ['--version']).then(
  () => true,
  () => false,
)

/** The script of a plan. */
export async function scriptOf(
  context: EngineContext,
  migrations: readonly Migration[],
  more: Partial<PlanRequest> = {},
): Promise<string> {
  const { script } = await plan(context, { migrations, sql: false, script: true, snapshot: 'none', ...more })
  if (script === undefined || script.sql === null) throw new Error(JSON.stringify(script?.refused))
  return script.sql
}

export interface Psql {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a script as a person would. */
export async function psql(database: TestDatabase, script: string, args: readonly string[] = []): Promise<Psql> {
  const file = join(await writeFiles({ 'plan.sql': script }), 'plan.sql')
  const { host, port, user, password } = await database.endpoint()
  const server = { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGSSLMODE: 'disable' }
  const environment = { ...process.env, ...server, PGDATABASE: database.name }
  try {
    return { exitCode: 0, ...(await run('psql', ['-X', '-q', ...args, '-f', file], { env: environment })) }
  } catch (error) {
    const { code, stdout, stderr } = error as {
      readonly code: number
      readonly stdout: string
      readonly stderr: string
    }
    return { exitCode: code, stdout, stderr }
  }
}

/** What is compared: the history, but for times, run ids and who it was; rows of tables; the schema. */
interface Content {
  /** Dumped where it is asked for: that takes as long as all the rest. */
  readonly schema: string | null
  readonly rows: unknown
  readonly migrations: unknown
  readonly progress: unknown
  readonly run: unknown
}

async function contentOf(database: TestDatabase, tables: readonly string[], dumped: boolean): Promise<Content> {
  const rows: unknown[] = []
  for (const table of tables) rows.push(await database.rows(`SELECT t::text AS row FROM ${table} t ORDER BY 1`))
  return {
    schema: dumped ? await schemaOf(database) : null,
    rows,
    migrations: await database.rows(MIGRATIONS),
    progress: await database.rows('SELECT * FROM lockstep.progress'),
    run: await database.rows(LAST_RUN),
  }
}

const MIGRATIONS = `SELECT "set", id, checksum, kind, position, parents, source, archive, lockstep_version,
  duration_ms >= 0 AS lasted, run_id = (SELECT run_id FROM lockstep.runs ORDER BY started_at DESC LIMIT 1) AS of_last
FROM lockstep.migrations ORDER BY position`

const LAST_RUN = `SELECT "set", request_id, trigger, action, from_heads, to_heads, status, snapshot_uri, error,
  details -> 'outcome' AS outcome, finished_at >= started_at AS ended
FROM lockstep.runs ORDER BY started_at DESC LIMIT 1`

/** What psql and Lockstep have made of the same plans. */
export interface BothWays {
  readonly byPsql: readonly Content[]
  readonly byLockstep: readonly Content[]
  /** On which psql was at work, with all of it applied. */
  readonly database: TestDatabase
}

/** Applies by a script what `up` applies elsewhere, takes both back to the base, and applies it again. */
export async function bothWays(
  migrations: readonly Migration[],
  tables: readonly string[] = [],
  { overrides = {}, dumps = 1 }: { readonly overrides?: Partial<EngineContext>; readonly dumps?: number } = {},
): Promise<BothWays> {
  const [database, other] = [await createDatabase(), await createDatabase()]
  const [context, engine] = [engineFor(database, overrides), engineFor(other, overrides)]
  const base = { kind: 'base' } as const
  const byPsql: Content[] = []
  const byLockstep: Content[] = []
  for (const down of [undefined, base, undefined]) {
    const run = await (down ? migrateDown(engine, { migrations, target: down }) : migrateUp(engine, { migrations }))
    if (run.error !== undefined) throw new Error(JSON.stringify(run.error))
    const script = await scriptOf(context, migrations, down ? { down } : {})
    const { exitCode, stderr } = await psql(database, script)
    if (exitCode !== 0 || stderr !== '') throw new Error(`psql ended with ${exitCode}: ${stderr}`)
    const { upToDate, lastRun } = await status(context, migrations)
    if (upToDate === Boolean(down) || lastRun?.status !== 'succeeded') throw new Error('the script is not done')
    if (byPsql.length === 2) break
    for (const [content, on] of [
      [byPsql, database],
      [byLockstep, other],
    ] as const)
      content.push(await contentOf(on, down ? [] : tables, content.length < dumps))
  }
  return { byPsql, byLockstep, database }
}

/** Two tables. */
export const shop = sql(
  '1_shop',
  'CREATE TABLE users (id int PRIMARY KEY, name text); -- the first\nCREATE TABLE orders (id int PRIMARY KEY, who int, tags text[]);',
  'DROP TABLE orders;\nDROP TABLE users;',
)
/** Indexes of them, built outside of a transaction. */
export const index = sql(
  '2_index',
  'CREATE INDEX CONCURRENTLY orders_who ON orders (who);\nCREATE INDEX CONCURRENTLY orders_tags ON orders (tags);',
  'DROP INDEX CONCURRENTLY orders_tags;\nDROP INDEX CONCURRENTLY orders_who;',
  { transaction: false },
)
