import type { RunResult } from '../../lambda/contract.ts'
import { perform, type ActionRequest } from '../../lambda/actions.ts'
import { compose } from '../../lambda/compose.ts'
import type { Config } from '../../lambda/config.ts'
import type { Lockstep } from '../../lambda/lockstep.ts'
import { DEFAULT_SNAPSHOT_SETTINGS } from '../../lambda/snapshot-settings.ts'
import { silentLog } from '../../lambda/log.ts'
import { reportOf, sentenceOf } from '../../lambda/errors.ts'
import { lockKey } from '../../lambda/engine/lock/lock.ts'
import { until } from '../support/wait.ts'
import type { Scenario } from './scenario.ts'
import type { Stage } from './round.ts'

/** A lock that a dead run left must be free within this time. Milliseconds. */
const LOCK_PATIENCE_MS = 10_000

// With the end of the statement's transaction it is given back.
const LOCK_SQL = `SELECT pg_try_advisory_xact_lock(${lockKey('lockstep', 'default')}) AS free`

/** The configuration of a round's runs. */
export function configOn(
  { server, database, files, snapshots }: Stage,
  { scope }: Pick<Scenario, 'scope'>,
  way: 'direct' | 'proxied' = 'direct',
): Config {
  return {
    database: { kind: 'url', url: server.url(database, way) },
    migrations: { kind: 'directory', directory: files },
    set: 'default',
    historySchema: 'lockstep',
    transaction: scope,
    onRollback: 'revert',
    onFailure: 'revert',
    autoApply: true,
    snapshots: { location: snapshots, kmsKeyId: null },
    snapshotMode: 'none',
    ...DEFAULT_SNAPSHOT_SETTINGS,
    rds: null,
    migrationsDigest: null,
    totalTimeoutMs: null,
    lockTimeoutMs: LOCK_PATIENCE_MS,
    connectTimeoutMs: 5000,
    trigger: 'cli',
    policy: [],
    appliedBy: 'chaos',
  }
}

/** Lockstep in this process, past the proxy. */
export function lockstepOn(stage: Stage, scenario: Pick<Scenario, 'scope'>): Lockstep {
  return compose(configOn(stage, scenario), silentLog)
}

type RunRequest = Extract<ActionRequest, { readonly action: 'up' | 'down' }>

/** The request that leaves so many migrations applied. */
export function requestFor({ set }: Scenario, action: 'up' | 'down', count: number): RunRequest {
  const id = set[count - 1]?.id
  if (action === 'up') return { action, ...(id === undefined ? {} : { to: id }) }
  return { action, target: id === undefined ? { kind: 'base' } : { kind: 'to', id } }
}

/** Runs without a fault; what went wrong, as a list of none or one. */
export async function attempt(lockstep: Lockstep, request: RunRequest): Promise<readonly string[]> {
  try {
    const result: RunResult = await perform(lockstep, request)
    if (result.status === 'succeeded') return []
    return [`the next ${request.action} failed: ${result.error ? sentenceOf(result.error) : 'without an error'}`]
  } catch (error) {
    return [`the next ${request.action} was refused: ${sentenceOf(reportOf(error))}`]
  }
}

/** Brings an empty database to where the round's run begins. @throws Error when that fails. */
export async function prepare(stage: Stage, scenario: Scenario): Promise<void> {
  if (scenario.start === 0) return
  const problems = await attempt(lockstepOn(stage, scenario), requestFor(scenario, 'up', scenario.start))
  if (problems.length > 0) throw new Error(problems.join(' '))
}

/** Waits until the set's lock is free. Gives how long that took, or null when it was not in time. */
export async function waitForLock({ server, database }: Stage): Promise<number | null> {
  const began = performance.now()
  const isFree = async (): Promise<boolean> => {
    const [row] = await server.query(database, LOCK_SQL)
    return row?.free === true
  }
  return until(isFree, LOCK_PATIENCE_MS).then(
    () => performance.now() - began,
    () => null,
  )
}
