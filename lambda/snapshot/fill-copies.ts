import type pg from 'pg'
import type { Log } from '../log.ts'
import { qualified } from './catalog.ts'
import type { Copy } from './chosen-copies.ts'
import { copyIn } from './copy-in.ts'
import { sqlStateOf } from './failure.ts'
import { Fault } from './fault.ts'
import type { RestoreSource } from './restore-source.ts'
import { planTasks } from './restore-tasks.ts'
import { createProgress } from './progress.ts'
import { prepareSession } from './session.ts'
import { runStatement, type Script } from './sql-script.ts'
import type { TableStructure } from './table-structure.ts'

export interface FillJob {
  readonly structure: TableStructure
  readonly copies: readonly Copy[]
  readonly log: Log
}

/** Makes the tables and fills them, in the transaction that the session is in. */
export async function fillCopies(client: pg.Client, source: RestoreSource, job: FillJob): Promise<void> {
  const { structure, copies, log } = job
  await runInDatabase(client, structure.preData)
  await prepareSession(client)
  await fill(client, source, copies, log)
  await runInDatabase(client, structure.sequences)
  await runInDatabase(client, structure.postData)
  await client.query(
    `ANALYZE ${copies.map(({ intoSchema, name }) => qualified({ schema: intoSchema, name })).join(', ')}`,
  )
}

async function fill(client: pg.Client, source: RestoreSource, copies: readonly Copy[], log: Log): Promise<void> {
  const { store, prefix, manifest } = source
  const tables = copies.flatMap(({ rows, intoSchema }) => (rows === null ? [] : [{ ...rows, schema: intoSchema }]))
  const tasks = planTasks(manifest, tables)
  const work = tasks.reduce((total, { object }) => total + object.bytes, 0)
  const progress = createProgress(log, 'Copying tables from the snapshot', tables.length, work)
  const target = {
    store,
    prefix,
    encoding: manifest.database.encoding,
    onBytes: progress.addBytes,
    onRows: (_entry: unknown, rows: number): void => progress.addRows(rows),
  }
  for (const task of tasks) await copyIn(client, target, task)
}

/** undefined_object, undefined_function, undefined_table, invalid_schema_name (PostgreSQL, appendix A) */
const MISSING = new Set(['42704', '42883', '42P01', '3F000'])

/** The tables may refer to what the snapshot's database had, and this one has not any more. */
async function runInDatabase(client: pg.Client, script: Script): Promise<void> {
  try {
    // One by one: a transaction in which one has failed takes no other, and could not tell which it was.
    for (const { sql } of script.statements) await runStatement(client, script.name, sql)
  } catch (error) {
    if (!(error instanceof Fault) || !MISSING.has(sqlStateOf(error) ?? '')) throw error
    throw new Fault(
      error.message,
      'The tables need it: create it as it was, or restore the whole snapshot beside the database with "into" (--into NAME).',
      error,
    )
  }
}
