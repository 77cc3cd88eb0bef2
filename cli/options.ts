import { InvalidArgumentError, Option, type Command as Commander } from 'commander'
import { ENVIRONMENTS, type EnvironmentName } from '../lambda/analysis-contract.ts'
import { DEFAULT_HISTORY_SCHEMA, DEFAULT_SET, HISTORY_SCHEMA_SYNTAX, parseHistorySchema } from '../lambda/config.ts'
import { ENVIRONMENT, TRANSACTION_SCOPES, type TransactionScope } from '../lambda/contract.ts'
import { DEFAULT_SNAPSHOT_SETTINGS } from '../lambda/snapshot-settings.ts'
import type { Settings } from './settings.ts'
import { addSnapshotSettings, SNAPSHOT_VARIABLES, snapshotSettingsOf } from './snapshot-options.ts'

/** Where the database's URL is read from when `--database-url` is not given. */
export const DATABASE_URL_VARIABLE = 'LOCKSTEP_DATABASE_URL'

/** Somebody waits at a terminal, or a pipeline does; both want to hear soon. */
const LOCK_TIMEOUT_SECONDS = 60
const CONNECT_TIMEOUT_SECONDS = 5

interface ParsedOptions {
  readonly databaseUrl?: string
  readonly migrations: string
  readonly set: string
  readonly snapshots?: string
  readonly historySchema: string
  readonly transaction: TransactionScope
  readonly lockTimeout: number
  readonly connectTimeout: number
  readonly environment?: EnvironmentName
  readonly json?: boolean
  readonly verbose?: boolean
}

/** What holds when no option is given. */
export const DEFAULT_SETTINGS: Settings = {
  databaseUrl: null,
  migrations: 'migrations',
  set: DEFAULT_SET,
  snapshots: null,
  ...DEFAULT_SNAPSHOT_SETTINGS,
  historySchema: DEFAULT_HISTORY_SCHEMA,
  transaction: 'run',
  lockTimeoutSeconds: LOCK_TIMEOUT_SECONDS,
  connectTimeoutSeconds: CONNECT_TIMEOUT_SECONDS,
  environment: null,
  json: false,
  verbose: false,
}

/** Adds the options that every command takes. */
export function addSettings(program: Commander): void {
  program
    .addOption(option('--database-url <url>', 'postgres:// URL of the database').env(DATABASE_URL_VARIABLE))
    .addOption(
      option('--migrations <directory>', 'directory of the migration files')
        .default(DEFAULT_SETTINGS.migrations)
        .env(ENVIRONMENT.migrations),
    )
    .addOption(
      option('--set <name>', 'name of the set of migrations')
        .default(DEFAULT_SETTINGS.set)
        .argParser(parseName)
        .env(ENVIRONMENT.set),
    )
    .addOption(
      option('--snapshots <location>', 'directory or s3://bucket/prefix for snapshots')
        .argParser(parseName)
        .env(ENVIRONMENT.snapshots),
    )
  addSnapshotSettings(program)
  program
    .addOption(
      option('--transaction <scope>', 'one transaction for the whole run, or one for each migration')
        .choices(TRANSACTION_SCOPES)
        .default(DEFAULT_SETTINGS.transaction)
        .env(ENVIRONMENT.transaction),
    )
    .addOption(
      option('--lock-timeout <seconds>', 'how long to wait for another run of the set')
        .default(DEFAULT_SETTINGS.lockTimeoutSeconds)
        .argParser(parseSeconds)
        .env(ENVIRONMENT.lockTimeout),
    )
    .addOption(
      option('--connect-timeout <seconds>', 'how long to go on trying to connect')
        .default(DEFAULT_SETTINGS.connectTimeoutSeconds)
        .argParser(parseSeconds)
        .env(ENVIRONMENT.connectTimeout),
    )
    .addOption(
      option('--history-schema <name>', "schema of Lockstep's own tables")
        .default(DEFAULT_SETTINGS.historySchema)
        .argParser(parseSchema)
        .env(ENVIRONMENT.historySchema),
    )
    .addOption(option('--environment <name>', 'how careful a run is (or LOCKSTEP_ENVIRONMENT)').choices(ENVIRONMENTS))
    .addOption(option('--json', 'print exactly one JSON document on stdout'))
    .addOption(option('--verbose', 'tell on stderr what is used, and where an error comes from'))
}

const option = (flags: string, description: string): Option => new Option(flags, description)

/** The settings of a program that has parsed its arguments. */
export function settingsOf(program: Commander): Settings {
  const parsed = program.opts<ParsedOptions>()
  return {
    databaseUrl: parsed.databaseUrl ?? null,
    migrations: parsed.migrations,
    set: parsed.set,
    snapshots: parsed.snapshots ?? null,
    ...snapshotSettingsOf(program),
    historySchema: parsed.historySchema,
    transaction: parsed.transaction,
    lockTimeoutSeconds: parsed.lockTimeout,
    connectTimeoutSeconds: parsed.connectTimeout,
    environment: parsed.environment ?? null,
    json: parsed.json ?? false,
    verbose: parsed.verbose ?? false,
  }
}

/** The variables that options are read from; one that is set but blank counts as not set. */
export const OPTION_VARIABLES = [
  DATABASE_URL_VARIABLE,
  ENVIRONMENT.migrations,
  ENVIRONMENT.set,
  ENVIRONMENT.snapshots,
  ...SNAPSHOT_VARIABLES,
  ENVIRONMENT.transaction,
  ENVIRONMENT.onFailure,
  ENVIRONMENT.lockTimeout,
  ENVIRONMENT.connectTimeout,
  ENVIRONMENT.historySchema,
] as const

function parseName(value: string): string {
  if (value.trim() === '') throw new InvalidArgumentError('It is empty.')
  return value
}

function parseSeconds(value: string): number {
  if (!/^\d+(\.\d+)?$/.test(value)) throw new InvalidArgumentError('Give a number of seconds that is not negative.')
  return Number(value)
}

/** A whole number from 1 on. */
export function parseCount(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError('Give a whole number from 1 on.')
  return Number(value)
}

function parseSchema(value: string): string {
  const name = parseHistorySchema(value)
  if (name === null) throw new InvalidArgumentError(`It must be ${HISTORY_SCHEMA_SYNTAX}.`)
  return name
}
