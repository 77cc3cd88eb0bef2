import { hostname, userInfo } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ActionRequest } from '../lambda/actions.ts'
import type { Config } from '../lambda/config.ts'
import type { PolicyLayer } from '../lambda/engine/policy/policy.ts'
import { policyFromVariables } from '../lambda/policy-variables.ts'
import type { EnvironmentName } from '../lambda/analysis-contract.ts'
import type { FailurePolicy, TransactionScope } from '../lambda/contract.ts'
import type { SnapshotSettings } from '../lambda/snapshot-settings.ts'
import { snapshotSettings } from './snapshot-options.ts'

/** The options that every command takes. */
export interface Settings extends SnapshotSettings {
  /** Null: the embedded database. */
  readonly databaseUrl: string | null
  readonly migrations: string
  readonly set: string
  /** Directory or `s3://` URI. Null: not given. */
  readonly snapshots: string | null
  readonly historySchema: string
  readonly transaction: TransactionScope
  readonly lockTimeoutSeconds: number
  readonly connectTimeoutSeconds: number
  /** Null: not given as an option. */
  readonly environment: EnvironmentName | null
  readonly json: boolean
  readonly verbose: boolean
}

/** How a plan is printed. */
export const PLAN_FORMATS = ['text', 'markdown'] as const
export type PlanFormat = (typeof PLAN_FORMATS)[number]

/** What the command line asks for. */
export interface Command {
  readonly request: ActionRequest
  readonly settings: Settings
  /** False with `--no-snapshot`: a run changes the database without taking one first. */
  readonly takeSnapshot: boolean
  readonly onFailure: FailurePolicy
  /** File to write the database's statistics to, with `status --statistics`. @default none */
  readonly statistics?: string
  /** Of `plan`. @default 'text' */
  readonly format?: PlanFormat
  /** True with `status --exit-code`. */
  readonly exitOnPending: boolean
}

/** The directory under the working directory that holds the embedded database and its snapshots. */
export const LOCAL_DIRECTORY = '.lockstep'

/** The composition's configuration for a command on the database at `url`. */
export function configOf(command: Command, url: string): Config {
  const { settings } = command
  const location = snapshotLocation(command)
  return {
    database: { kind: 'url', url },
    migrations: { kind: 'directory', directory: settings.migrations },
    set: settings.set,
    historySchema: settings.historySchema,
    transaction: settings.transaction,
    onRollback: 'revert',
    onFailure: command.onFailure,
    autoApply: true,
    snapshots: location === null ? null : { location, kmsKeyId: null },
    snapshotMode: location !== null && command.takeSnapshot ? 'logical' : 'none',
    ...snapshotSettings(settings),
    rds: null,
    migrationsDigest: null,
    totalTimeoutMs: null,
    lockTimeoutMs: settings.lockTimeoutSeconds * 1000,
    connectTimeoutMs: settings.connectTimeoutSeconds * 1000,
    trigger: 'cli',
    policy: policyLayers(settings),
    appliedBy: operator(),
  }
}

/** @throws LockstepError `CONFIG_INVALID` for a variable. */
function policyLayers({ environment }: Settings): readonly PolicyLayer[] {
  const variables = policyFromVariables(process.env, 'environment variable')
  return environment === null ? [variables] : [variables, { source: 'option', settings: { environment } }]
}

/** The store that was given, else the one that the snapshot to restore is in, else that of the embedded database. */
function snapshotLocation({ settings, request }: Command): string | null {
  if (settings.snapshots !== null) return settings.snapshots
  if (request.action === 'restore' || request.action === 'verify') return storeOf(request.uri)
  return settings.databaseUrl === null ? `${LOCAL_DIRECTORY}/snapshots` : null
}

/** A snapshot's place is `<store>/<database>/<time>-<run>`. */
function storeOf(uri: string): string {
  const trimmed = uri.replace(/\/manifest\.json$/, '').replace(/\/+$/, '')
  if (/^s3:/i.test(trimmed)) return trimmed.split('/').slice(0, -2).join('/')
  const path = URL.canParse(trimmed) && trimmed.startsWith('file:') ? fileURLToPath(trimmed) : trimmed
  return dirname(dirname(path))
}

/** Who is at the keyboard, for the history. */
function operator(): string {
  try {
    return `${userInfo().username}@${hostname()}`
  } catch {
    // A container may run under a user id that has no name.
    return `uid ${process.getuid?.() ?? 'unknown'}@${hostname()}`
  }
}
