import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Connection } from '../../lambda/engine/database.ts'
import { readLive } from '../../lambda/engine/policy/live.ts'
import type { Statistics } from '../../lambda/engine/policy/weigh.ts'
import { LockstepError, messageOf, UNTOUCHED } from '../../lambda/errors.ts'

/** What hazards are weighed by: of a database that answers, or of a file that `status --statistics` wrote. */
export interface DatabaseStatistics {
  readonly version: 1
  readonly database: string
  /** `server_version_num`. */
  readonly serverVersion: number
  readonly timeZone: string
  /** By `schema.name`. */
  readonly relations: Readonly<Record<string, Statistics>>
}

/** Where the server does not say since when it counts, writes are counted for this long. Milliseconds. */
const SAMPLE_MS = 1000

/** Reads them from the database. @param names - null: of every table and materialized view */
export async function takeStatistics(
  connection: Connection,
  options: {
    readonly database: string
    readonly history: string
    readonly names?: readonly string[]
    readonly sampleMs?: number
  },
): Promise<DatabaseStatistics> {
  const { database, history, names = null, sampleMs = SAMPLE_MS } = options
  const first = await readLive(connection, history, names)
  const { serverVersion, timeZone } = first
  const base = { version: 1, database, serverVersion, timeZone } as const
  if (first.ageSeconds !== null || first.relations.size === 0 || sampleMs === 0) {
    return { ...base, relations: sorted(first.relations) }
  }
  const began = performance.now()
  await delay(sampleMs)
  const second = await readLive(connection, history, names)
  const seconds = (performance.now() - began) / 1000
  const rated = [...second.relations].map(([name, statistics]): [string, Statistics] => {
    const writes = (second.writes.get(name) ?? 0) - (first.writes.get(name) ?? 0)
    return [name, { ...statistics, writesPerSecond: Math.max(0, writes) / seconds }]
  })
  return { ...base, relations: sorted(new Map(rated)) }
}

function sorted(relations: ReadonlyMap<string, Statistics>): Readonly<Record<string, Statistics>> {
  return Object.fromEntries([...relations].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Reads what `status --statistics` wrote. @throws LockstepError `CONFIG_INVALID`. */
export function readStatisticsFile(path: string): DatabaseStatistics {
  let problem = 'it is of another form'
  try {
    const document = JSON.parse(readFileSync(path, 'utf8')) as unknown
    if (isStatistics(document)) return document
  } catch (error) {
    problem = messageOf(error)
  }
  throw new LockstepError({
    code: 'CONFIG_INVALID',
    message: `The statistics in ${path} cannot be used: ${problem}.`,
    state: UNTOUCHED,
    remedy: 'Write them anew with "lockstep status --statistics <file>" on the database.',
  })
}

function isStatistics(document: unknown): document is DatabaseStatistics {
  if (typeof document !== 'object' || document === null) return false
  const { version, relations, serverVersion } = document as Partial<DatabaseStatistics>
  if (version !== 1 || typeof serverVersion !== 'number' || typeof relations !== 'object') return false
  return Object.values(relations).every(({ bytes }) => typeof bytes === 'number')
}
