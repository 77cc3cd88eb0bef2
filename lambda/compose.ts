import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { RDSClient } from '@aws-sdk/client-rds'
import { S3Client } from '@aws-sdk/client-s3'
import { SFNClient } from '@aws-sdk/client-sfn'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { systemClock } from './adapters/clock.ts'
import { createDirectoryStore } from './adapters/directory-store.ts'
import { endpointFromSecret, endpointFromUrl } from './adapters/endpoint.ts'
import { cutInTime } from './adapters/in-time.ts'
import { connect, openClient, type ConnectOptions, type Endpoint } from './adapters/postgres.ts'
import { createRdsStorage } from './adapters/rds.ts'
import { createS3Store } from './adapters/s3-store.ts'
import { readDatabaseSecret, readPendingSecret } from './adapters/secrets-manager.ts'
import { createExecutions } from './adapters/step-functions.ts'
import { readStackStatus } from './adapters/stack-status.ts'
import { configFromEnvironment, type Config } from './config.ts'
import { readAnalysis } from './engine/policy/analysis.ts'
import { readBundledAnalysis, readMigrationBundle } from './engine/migration/migration-bundle.ts'
import { readMigrationDirectory } from './engine/migration/migration-directory.ts'
import { readPolicyFile } from './engine/policy/policy-file.ts'
import { resolvePolicy } from './engine/policy/policy.ts'
import { LockstepError, UNTOUCHED } from './errors.ts'
import { connectWithinMs } from './invocation-time.ts'
import type { Lockstep } from './lockstep.ts'
import type { Log } from './log.ts'
import { parseStoreLocation } from './snapshot/location.ts'
import type { Executions } from './snapshot/distributed/executions.ts'
import type { StorageContext } from './snapshot/storage-snapshot.ts'
import type { SnapshotStore } from './snapshot/store.ts'
import { VERSION } from './version.ts'

/** What is known only of this invocation. */
export interface Invocation {
  /** Milliseconds until the process is ended from outside. @default infinite */
  readonly remainingMs?: () => number
  /** Milliseconds until nobody waits for an answer any more. @default infinite */
  readonly answerWithinMs?: () => number
  /** Whether to leave the rest of a run to the next invocation. @default never */
  readonly shouldPause?: () => boolean
  /** When the time of the whole run is over, in milliseconds since 1970. @default null: it has none */
  readonly deadline?: number | null
  /** Aborting stops the run between statements. */
  readonly signal?: AbortSignal
}

/** The function's configuration, from its environment. @throws LockstepError `CONFIG_INVALID`. */
export function functionConfig(): Config {
  return configFromEnvironment(process.env)
}

/** Puts the parts together: the only place that builds clients. */
export function compose(config: Config, log: Log, invocation: Invocation = {}): Lockstep {
  const endpoints = endpointReader(config)
  const { remainingMs = () => Infinity, answerWithinMs = () => Infinity } = invocation
  const options = (database?: string): ConnectOptions => ({
    ...endpoints,
    applicationName: `lockstep ${VERSION} (${config.set})`,
    budgetMs: config.connectTimeoutMs,
    withinMs: connectWithinMs(remainingMs()),
    ...(database === undefined ? {} : { database }),
  })
  const parts = {
    clock: systemClock,
    log,
    remainingMs,
    shouldPause: invocation.shouldPause ?? (() => false),
    ...(invocation.signal === undefined ? {} : { signal: invocation.signal }),
  }
  return {
    ...parts,
    config,
    connect: async (database) => cutInTime(await connect(options(database)), answerWithinMs()),
    databaseName: async () => (await endpoints.endpoint(false)).database,
    readMigrations: () =>
      config.migrations.kind === 'bundle'
        ? readMigrationBundle(config.migrations.directory)
        : readMigrationDirectory(config.migrations.directory),
    readAnalysis: () =>
      config.migrations.kind === 'bundle'
        ? readBundledAnalysis(config.migrations.directory)
        : readAnalysis(config.migrations.directory),
    policy: () => resolvePolicy([readPolicyFile(config.migrations.directory), ...config.policy]),
    snapshots: () => ({
      openClient: (database, patience) =>
        openClient({ ...options(database), ...(patience === 'none' ? { budgetMs: 0 } : {}) }),
      store: storeOf(config),
      log,
      now: systemClock.now,
      workers: config.snapshotWorkers,
      ...(invocation.signal === undefined ? {} : { signal: invocation.signal }),
    }),
    stackStatus: (stackId) => readStackStatus(new CloudFormationClient({ maxAttempts: 1 }), stackId, log),
    storage: () => ({ ...parts, ...storageOf(config) }),
    executions: executionsOf(config),
    deadline: invocation.deadline ?? null,
  }
}

/** Seconds are enough for a service in the same region; without a route to it, waiting longer does not help. */
const SECRETS_TIMEOUTS = { connectionTimeout: 3000, requestTimeout: 5000, throwOnRequestTimeout: true }

function endpointReader({ database }: Config): Pick<ConnectOptions, 'endpoint' | 'pending'> {
  if (database.kind === 'url') return { endpoint: async () => endpointFromUrl(database.url) }
  const client = new SecretsManagerClient({ maxAttempts: 2, requestHandler: SECRETS_TIMEOUTS })
  let known: Promise<Endpoint> | null = null
  const read = async (): Promise<Endpoint> =>
    endpointFromSecret(database, await readDatabaseSecret(client, database.secretArn))
  return {
    endpoint: (anew) => {
      if (anew || known === null) known = read()
      return known
    },
    pending: async () => {
      const secret = await readPendingSecret(client, database.secretArn)
      return secret === null ? null : endpointFromSecret(database, secret)
    },
  }
}

/** Starting and describing are quick; without a route to the service, waiting longer does not help. */
const SFN_TIMEOUTS = { connectionTimeout: 3000, requestTimeout: 10_000, throwOnRequestTimeout: true }

function executionsOf({ snapshots }: Config): Executions | null {
  if (snapshots?.machine === undefined) return null
  return createExecutions(new SFNClient({ maxAttempts: 4, requestHandler: SFN_TIMEOUTS }), snapshots.machine)
}

/** Describing and beginning are quick; without a route to the service, waiting longer does not help. */
const RDS_TIMEOUTS = { connectionTimeout: 3000, requestTimeout: 15_000, throwOnRequestTimeout: true }

/** Each costs as much as the storage that has changed since. */
const RDS_KEEP_LAST = 5

function storageOf({ rds, set, snapshotKeepLast }: Config): Pick<StorageContext, 'service' | 'owner' | 'keepLast'> {
  if (rds === null) {
    throw new LockstepError({
      code: 'CONFIG_INVALID',
      message: 'No RDS instance or cluster is configured to take snapshots of.',
      state: UNTOUCHED,
      remedy: 'Give the construct Snapshot.rds().',
    })
  }
  return {
    service: createRdsStorage(new RDSClient({ maxAttempts: 3, requestHandler: RDS_TIMEOUTS }), rds),
    owner: { prefix: rds.snapshotPrefix, set, stack: rds.stackName },
    keepLast: snapshotKeepLast ?? RDS_KEEP_LAST,
  }
}

/** A transfer may take its time, but not stand still: without a route the connection is what fails. */
const S3_TIMEOUTS = { connectionTimeout: 5000, socketTimeout: 60_000 }

function storeOf({ snapshots }: Config): SnapshotStore {
  if (snapshots === null) {
    throw new LockstepError({
      code: 'CONFIG_INVALID',
      message: 'No place for snapshots is configured.',
      state: UNTOUCHED,
      remedy: 'Give --snapshots with a directory or s3://bucket/prefix.',
    })
  }
  const location = parseStoreLocation(snapshots.location)
  if (location.kind === 'directory') return createDirectoryStore(location.directory)
  return createS3Store({
    client: new S3Client({ maxAttempts: 3, requestHandler: S3_TIMEOUTS }),
    bucket: location.bucket,
    prefix: location.prefix,
    ...(snapshots.kmsKeyId === null ? {} : { kmsKeyId: snapshots.kmsKeyId }),
  })
}
