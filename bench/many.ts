import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from '../lambda/adapters/postgres.ts'
import { endpointFromUrl } from '../lambda/adapters/endpoint.ts'
import { createHistory } from '../lambda/engine/history/history-schema.ts'
import { PSQL_NOOP, psqlScript, writeMigrations } from './many-files.ts'
import { median, runProgram } from './process.ts'
import { requirePsql } from './psql.ts'
import { databaseUrl, withServer } from './server.ts'

const ROUNDS = 5
const COUNTS = [100, 1000]
const CHILD = new URL('many-child.ts', import.meta.url).pathname

interface Sample {
  /** From the first connect to the answer; psql: its whole process. */
  readonly ours: number
  readonly psql: number
  /** Whole process, Node's start included. */
  readonly process: number
  readonly roundTrips: number
  readonly peakMb: number
}

/**
 * `many`: applies 100 and 1,000 small migrations. `noop`: a run with nothing to do after them. Each beside one psql
 * session that does the same work with the same history writes, in turn, on the same server.
 */
export async function benchMany(what: 'many' | 'noop'): Promise<void> {
  await requirePsql()
  await withServer(async (server, directory) => {
    for (const count of COUNTS) {
      const migrations = await writeMigrations(directory, count)
      const script = join(directory, `${count}.sql`)
      await writeFile(script, await psqlScript(migrations))
      const noop = join(directory, 'noop.sql')
      await writeFile(noop, PSQL_NOOP)
      const samples: Sample[] = []
      for (let round = 0; round <= ROUNDS; round += 1) {
        const name = `r_${count}_${round}`
        const sample = await measure({ server, name, migrations, script, noop, what })
        // The first round only warms up the server and the file cache.
        if (round > 0) samples.push(sample)
      }
      report(what, count, samples)
    }
  })
}

interface Round {
  readonly server: URL
  readonly name: string
  readonly migrations: string
  readonly script: string
  readonly noop: string
  readonly what: 'many' | 'noop'
}

async function measure({ server, name, migrations, script, noop, what }: Round): Promise<Sample> {
  const [ours, theirs] = [`${name}_ours`, `${name}_psql`]
  for (const database of [ours, theirs]) await prepare(server, database)
  const lockstep = () =>
    runProgram(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      CHILD,
      databaseUrl(server, ours),
      migrations,
    ])
  const psql = (file: string) =>
    runProgram('psql', [
      '-X',
      '-q',
      '-o',
      '/dev/null',
      '-v',
      'ON_ERROR_STOP=1',
      '-f',
      file,
      databaseUrl(server, theirs),
    ])
  if (what === 'noop') await Promise.all([lockstep(), psql(script)])
  const mine = await lockstep()
  const peer = await psql(what === 'noop' ? noop : script)
  const told = JSON.parse(mine.output) as {
    readonly seconds: number
    readonly roundTrips: number
    readonly peakMb: number
  }
  return {
    ours: told.seconds,
    psql: peer.seconds,
    process: mine.seconds,
    roundTrips: told.roundTrips,
    peakMb: told.peakMb,
  }
}

async function prepare(server: URL, database: string): Promise<void> {
  await withConnection(server.href, `CREATE DATABASE ${database}`)
  const connection = await connect({
    endpoint: async () => endpointFromUrl(databaseUrl(server, database)),
    applicationName: 'bench',
    budgetMs: 0,
  })
  await createHistory(connection, 'lockstep')
  await connection.close()
}

async function withConnection(url: string, sql: string): Promise<void> {
  const connection = await connect({
    endpoint: async () => endpointFromUrl(url),
    applicationName: 'bench',
    budgetMs: 0,
  })
  await connection.execute(sql)
  await connection.close()
}

function ms(seconds: number): string {
  return `${(seconds * 1000).toFixed(1)} ms`
}

function report(what: string, count: number, samples: readonly Sample[]): void {
  const of = (key: keyof Sample): number => median(samples.map((sample) => sample[key]))
  const ratio = median(samples.map((sample) => sample.ours / sample.psql))
  const title = what === 'many' ? `${count} migrations` : `nothing to do after ${count} migrations`
  console.log(
    [
      `${title} (medians of ${samples.length})`,
      `  Lockstep        ${ms(of('ours'))}   (whole process ${ms(of('process'))})`,
      `  psql            ${ms(of('psql'))}   (whole process)`,
      `  ratio           ${ratio.toFixed(2)} x psql`,
      `  round trips     ${of('roundTrips')}`,
      `  peak memory     ${of('peakMb').toFixed(0)} MB`,
      '',
    ].join('\n'),
  )
}
