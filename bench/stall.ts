import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { endpointFromUrl } from '../lambda/adapters/endpoint.ts'
import { systemClock } from '../lambda/adapters/clock.ts'
import { connect } from '../lambda/adapters/postgres.ts'
import { readMigrationDirectory } from '../lambda/engine/migration/migration-directory.ts'
import { migrateUp } from '../lambda/engine/run/migrate.ts'
import { LOCK_TIMEOUT_MS } from '../lambda/engine/session/session.ts'
import { silentLog } from '../lambda/log.ts'
import { median, runProgram } from './process.ts'
import { requirePsql } from './psql.ts'
import { databaseUrl, withServer } from './server.ts'
import { createTable, startReader, startWriters } from './stall-writers.ts'

const ROUNDS = 3
const READER_MS = 20_000
/** The writers and the reader are well under way before the migration comes. */
const LEAD_MS = 1000
const ALTER = 'ALTER TABLE orders ADD COLUMN note text'

/** What a migration under load came to. */
interface Sample {
  /** The longest transaction of any writer. */
  readonly stallMs: number
  /** From the migration's start to its success; null when it gave up. */
  readonly migrationMs: number | null
  /** From the reader's end to the migration's success; null when it gave up. */
  readonly afterReaderMs: number | null
  readonly transactions: number
}

type Migrate = (url: string) => Promise<boolean>

/**
 * `stall`: a migration that needs ACCESS EXCLUSIVE on a table that eight sessions write to and one reads in a long
 * transaction; by Lockstep, and by psql without a lock_timeout, in turn on the same server.
 */
export async function benchStall(): Promise<void> {
  await requirePsql()
  await withServer(async (server, directory) => {
    const migrations = join(directory, 'migrations')
    await mkdir(migrations)
    await writeFile(
      join(migrations, '1_note.sql'),
      `-- migrate:up\n${ALTER};\n-- migrate:down\nALTER TABLE orders DROP COLUMN note;\n`,
    )
    const ours: Sample[] = []
    const psql: Sample[] = []
    for (let round = 1; round <= ROUNDS; round += 1) {
      ours.push(await measure(server, `ours_${round}`, (url) => byLockstep(url, migrations)))
      psql.push(await measure(server, `psql_${round}`, byPsql))
    }
    report(ours, psql)
  })
}

async function byLockstep(url: string, migrations: string): Promise<boolean> {
  const result = await migrateUp(
    {
      connect: () => connect({ endpoint: async () => endpointFromUrl(url), applicationName: 'lockstep', budgetMs: 0 }),
      set: 'default',
      schema: 'lockstep',
      scope: 'run',
      trigger: 'cli',
      appliedBy: 'bench',
      version: '0',
      lockTimeoutMs: 1000,
      remainingMs: () => Infinity,
      shouldPause: () => false,
      newRunId: () => crypto.randomUUID(),
      clock: systemClock,
      log: silentLog,
    },
    { migrations: readMigrationDirectory(migrations) },
  )
  return result.status === 'succeeded'
}

async function byPsql(url: string): Promise<boolean> {
  await runProgram('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-c', ALTER, url])
  return true
}

async function measure(server: URL, name: string, migrate: Migrate): Promise<Sample> {
  await createDatabase(server, name)
  const url = databaseUrl(server, name)
  await createTable(url)
  const writers = await startWriters(url)
  const reader = await startReader(url, READER_MS)
  await delay(LEAD_MS)
  const began = performance.now()
  const succeeded = await migrate(url)
  const ended = performance.now()
  const gone = await reader.gone
  const { longestMs, transactions } = await writers.stop()
  return {
    stallMs: longestMs,
    migrationMs: succeeded ? ended - began : null,
    afterReaderMs: succeeded ? ended - gone : null,
    transactions,
  }
}

async function createDatabase(server: URL, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.href })
  await client.connect()
  await client.query(`CREATE DATABASE ${name}`)
  await client.end()
}

function report(ours: readonly Sample[], psql: readonly Sample[]): void {
  const longest = Math.max(...ours.map(({ stallMs }) => stallMs))
  const promise = LOCK_TIMEOUT_MS + 1000
  const gaveUp = ours.filter(({ migrationMs }) => migrationMs === null).length
  const isKept = longest <= promise && gaveUp === 0
  console.log(
    [
      `ALTER TABLE under load: 8 writers, and a reader for ${seconds(READER_MS)} (medians of ${ROUNDS})`,
      line('', 'Lockstep', 'psql'),
      line('longest stall of a writer', ...both(ours, psql, 'stallMs')),
      line('migration succeeded after', ...both(ours, psql, 'migrationMs')),
      line('  after the reader had gone', ...both(ours, psql, 'afterReaderMs')),
      line('transactions written', count(ours), count(psql)),
      `  promise         no writer stalls over ${seconds(promise)}, and the migration succeeds: ${isKept ? 'kept' : 'NOT KEPT'}` +
        ` (longest of all ${seconds(longest)}; gave up ${gaveUp} of ${ROUNDS})`,
      '',
    ].join('\n'),
  )
  if (!isKept) process.exitCode = 1
}

function both(ours: readonly Sample[], psql: readonly Sample[], key: keyof Sample): [string, string] {
  return [middle(ours, key), middle(psql, key)]
}

function middle(samples: readonly Sample[], key: keyof Sample): string {
  const values = samples.map((sample) => sample[key]).filter((value) => value !== null)
  return values.length === 0 ? 'never' : seconds(median(values))
}

function count(samples: readonly Sample[]): string {
  return String(median(samples.map(({ transactions }) => transactions)))
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`
}

function line(title: string, ours: string, psql: string): string {
  return `  ${title.padEnd(28)}${ours.padStart(10)}${psql.padStart(10)}`
}
