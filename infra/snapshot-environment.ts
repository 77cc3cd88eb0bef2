import type { ENVIRONMENT } from '../lambda/contract.ts'
import type { RdsServer } from './rds-server.ts'
import type { SnapshotMachine } from './snapshot-machine.ts'
import type { SnapshotLocation } from './snapshot-bucket.ts'
import type { Retention, SnapshotSettings } from './snapshot-settings.ts'

/** What the function is told about snapshots. */
export interface SnapshotEnvironmentInput {
  readonly settings: SnapshotSettings
  readonly location: SnapshotLocation
  readonly retention: Retention
  /** Undefined unless the snapshots are RDS's own. */
  readonly server: RdsServer | undefined
  /** Undefined unless the copy is distributed. */
  readonly machine: SnapshotMachine | undefined
}

type Values = Partial<Record<keyof typeof ENVIRONMENT, string | undefined>>

/** The part of the function's environment that is about snapshots. */
export function snapshotEnvironment(input: SnapshotEnvironmentInput): Values {
  const { settings, location, retention, server, machine } = input
  return {
    snapshots: `s3://${location.bucket.bucketName}/${location.prefix}`,
    snapshotKey: location.bucket.encryptionKey?.keyArn,
    snapshotMode: settings.mode,
    ...(settings.mode === 'logical' ? logicalEnvironment(settings, retention) : {}),
    ...(settings.mode === 'rds' ? { snapshotKeepLast: String(settings.keepLast) } : {}),
    ...(server === undefined ? {} : rdsEnvironment(server)),
    snapshotMachine: machine?.arn,
  }
}

function logicalEnvironment(
  { scope, exclude, workers, keepLast }: Extract<SnapshotSettings, { readonly mode: 'logical' }>,
  { expireAfter }: Retention,
): Values {
  return {
    snapshotScope: scope === 'database' ? undefined : scope,
    snapshotExclude: exclude,
    snapshotWorkers: typeof workers === 'number' ? String(workers) : undefined,
    ...(keepLast === undefined ? {} : { snapshotKeepLast: String(keepLast), snapshotKeepDays: String(expireAfter) }),
  }
}

function rdsEnvironment({ kind, identifier, snapshotPrefix, stackName }: RdsServer): Values {
  return {
    [kind === 'instance' ? 'rdsInstance' : 'rdsCluster']: identifier,
    rdsSnapshotPrefix: snapshotPrefix,
    stackName,
  }
}
