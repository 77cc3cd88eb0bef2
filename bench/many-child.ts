import { connect } from '../lambda/adapters/postgres.ts'
import { endpointFromUrl } from '../lambda/adapters/endpoint.ts'
import { systemClock } from '../lambda/adapters/clock.ts'
import type { Connection } from '../lambda/engine/database.ts'
import { migrateUp } from '../lambda/engine/run/migrate.ts'
import { readMigrationDirectory } from '../lambda/engine/migration/migration-directory.ts'
import { silentLog } from '../lambda/log.ts'

/** One measured run of Lockstep in a process of its own: `many-child.ts URL DIRECTORY`. */
const [url = '', directory = ''] = process.argv.slice(2)
let roundTrips = 0

function count<A extends readonly unknown[], R>(call: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    roundTrips += 1
    return call(...args)
  }
}

function counted(connection: Connection): Connection {
  return { ...connection, execute: count(connection.execute), query: count(connection.query) }
}

const began = performance.now()
const result = await migrateUp(
  {
    connect: async () =>
      counted(await connect({ endpoint: async () => endpointFromUrl(url), applicationName: 'bench', budgetMs: 0 })),
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
  { migrations: readMigrationDirectory(directory) },
)
const seconds = (performance.now() - began) / 1000
if (result.status === 'failed') throw new Error(result.error?.message)
const peakMb = process.resourceUsage().maxRSS / 1024
process.stdout.write(JSON.stringify({ seconds, roundTrips, peakMb, applied: result.applied.length }))
