import type pg from 'pg'
import { endpointFromUrl } from '../../lambda/adapters/endpoint.ts'
import { openClient } from '../../lambda/adapters/postgres.ts'
import type { DriftDifference } from '../../lambda/drift-contract.ts'
import { quoteIdentifier, type Connection } from '../../lambda/engine/database.ts'
import { readMoment, type Moment } from '../../lambda/engine/drift/moment.ts'
import type { ShadowServerOptions } from '../shadow/shadow-server.ts'
import { startShadow, type Shadow } from '../shadow/shadow.ts'
import type { ShadowDatabase } from '../shadow/shadow-database.ts'
import { compareStructures, type Comparison } from './compare.ts'
import { readHistories } from './histories.ts'
import { offersFor, type Offers } from './reconcile.ts'
import type { Reconciliation } from './reconciliation.ts'
import { nodesFrom, replayHistory, type Files } from './replay-history.ts'
import { messageOf } from '../../lambda/errors.ts'

export interface DriftOptions {
  /** URL of the live database. */
  readonly url: string
  readonly files: Files
  readonly shadow: ShadowServerOptions
  /** Patterns of what does not count. */
  readonly ignore: readonly string[]
  /** Null: no statements are wanted. */
  readonly reconcile: Reconciliation | null
  readonly signal: AbortSignal
}

export interface DriftFindings {
  /** Names of the sets that were replayed. */
  readonly sets: readonly string[]
  /** How many migrations were. */
  readonly replayed: number
  /** PostgreSQL's major version that they were replayed on. */
  readonly postgres: number
  readonly differences: readonly DriftDifference[]
  /** How many more there are that were not to be counted. */
  readonly ignored: number
  readonly notes: readonly string[]
  /** Null: there is nothing to reconcile, or it cannot be told how. */
  readonly offers: Offers | null
}

/**
 * Replays what all histories of the live database say on a server of its own, and compares. The live database is only
 * read.
 *
 * @param connection - to the live database
 * @throws LockstepError
 */
export async function findHistoryDrift(connection: Connection, options: DriftOptions): Promise<DriftFindings> {
  const { files, signal } = options
  const moment = await readMoment(connection, files.schema)
  const { applied, halfDone } = await readHistories(connection, moment.own)
  const nodes = await nodesFrom(applied, files)
  const major = options.shadow.major ?? (options.shadow.url ? undefined : moment.major)
  const shadow = await startShadow(
    nodes.map(({ migration }) => migration),
    { ...options.shadow, major, signal },
  )
  try {
    const defaults = await sessionDefaults(connection)
    const database = await shadow.open({ historySchema: files.schema, signal, defaults })
    await replayHistory(database, nodes)
    await shadow.server.createRoles(await rolesOfPolicies(connection))
    const comparison = await compare(connection, { shadow, database, moment, options })
    const sets = [...new Set(applied.map(({ set }) => set))]
    const base = { sets, replayed: applied.length, postgres: shadow.server.major, ignored: comparison.ignored }
    const offered = await reconcile(comparison, { shadow, moment, options })
    return {
      ...base,
      differences: comparison.differences,
      notes: [...halfDone, ...offered.notes],
      offers: offered.offers,
    }
  } finally {
    await shadow.stop()
  }
}

interface Surroundings {
  readonly shadow: Shadow
  readonly moment: Moment
  readonly options: DriftOptions
}

function scopeOf({ shadow, moment, options }: Surroundings) {
  return { major: shadow.server.major, own: [...new Set([...moment.own, options.files.schema])] }
}

async function compare(
  connection: Connection,
  around: Surroundings & { readonly database: ShadowDatabase },
): Promise<Comparison> {
  const { shadow, database, options } = around
  const live = { connection, openClient: () => liveClient(options.url) }
  const history = { connection: database.connection, openClient: () => shadow.server.openClient(database.name) }
  return compareStructures(shadow.server, { live, history }, scopeOf(around), options.ignore)
}

const CONNECT_BUDGET_MS = 10_000

function liveClient(url: string): Promise<pg.Client> {
  return openClient({
    endpoint: async () => endpointFromUrl(url),
    applicationName: 'lockstep drift',
    budgetMs: CONNECT_BUDGET_MS,
  })
}

async function reconcile(
  { differences, copies, obstacle }: Comparison,
  around: Surroundings,
): Promise<{ readonly notes: readonly string[]; readonly offers: DriftFindings['offers'] }> {
  const { shadow, options } = around
  if (differences.length === 0) return { notes: [], offers: null }
  if (copies === null) {
    const why = obstacle === null ? '' : `: ${obstacle}`
    return { notes: [`The structure cannot be copied, so that no statements are offered${why}`], offers: null }
  }
  if (options.reconcile === null) return { notes: [], offers: null }
  try {
    return { notes: [], offers: await offersFor(shadow.server, copies, scopeOf(around), options.reconcile) }
  } catch (error) {
    return { notes: [`No statements that reconcile can be offered: ${messageOf(error)}`], offers: null }
  }
}

/** A dump names them, and a server of one's own has them not. */
async function rolesOfPolicies(connection: Connection): Promise<readonly string[]> {
  const { rows } = await connection.query(
    `SELECT DISTINCT pg_catalog.pg_get_userbyid(r)::text AS name FROM pg_catalog.pg_policy p, unnest(p.polroles) r WHERE r <> 0
UNION SELECT DISTINCT m.usename::text FROM pg_catalog.pg_user_mappings m WHERE m.umuser <> 0`,
  )
  return rows.map((row) => String(row.name))
}

/** Where an environment has set them for its database or its user, the same statement makes something else. */
const DEFAULTS = ['search_path', 'TimeZone', 'DateStyle', 'IntervalStyle', 'check_function_bodies']

async function sessionDefaults(connection: Connection): Promise<Readonly<Record<string, string>>> {
  const { rows } = await connection.query(
    `SELECT s.name, s.reset_val, current_user::text AS "user" FROM pg_catalog.pg_settings s WHERE s.name = ANY ($1)`,
    [DEFAULTS],
  )
  return Object.fromEntries(
    rows.map((row) => {
      const own = quoteIdentifier(String(row.user))
      return [String(row.name), String(row.reset_val).replaceAll('"$user"', () => own)]
    }),
  )
}
