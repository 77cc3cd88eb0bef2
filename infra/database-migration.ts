import { CustomResource, Duration } from 'aws-cdk-lib'
import type * as iam from 'aws-cdk-lib/aws-iam'
import type * as lambda from 'aws-cdk-lib/aws-lambda'
import * as logs from 'aws-cdk-lib/aws-logs'
import type * as s3 from 'aws-cdk-lib/aws-s3'
import { Provider, type ProviderProps } from 'aws-cdk-lib/custom-resources'
import { Construct, type IConstruct } from 'constructs'
import type { MigrationResourceProperties } from '../lambda/contract.ts'
import type { DatabaseMigrationProps } from './database-migration-props.ts'
import { createRequirement, type DatabaseRequirementProps } from './database-requirement.ts'
import { addressOf, databaseTarget, type DatabaseTarget } from './database-target.ts'
import { createMigrationFunction } from './migration-function.ts'
import { readMigrationSet, type MigrationSet } from './migration-set.ts'
import { migrationSettings, settingsProperty, type MigrationSettings } from './migration-settings.ts'
import { allowNetworkAccess } from './network-access.ts'
import { grantRdsSnapshots, rdsServer } from './rds-server.ts'
import { grantSecret } from './secret-access.ts'
import { runTime, type RunTime } from './run-time.ts'
import { refuseSameSet } from './same-set.ts'
import { createSnapshotMachine, snapshotMachine } from './snapshot-machine.ts'
import { createSnapshotBucket, grantSnapshots, snapshotPrefix } from './snapshot-bucket.ts'
import { snapshotRetention } from './snapshot-settings.ts'
import { explained } from './synthesis-error.ts'
import { warnOfUnproven } from './unproven.ts'

/** Between two invocations of a run that one was not enough for. */
const QUERY_INTERVAL = Duration.seconds(5)

interface ResourceInput {
  readonly settings: MigrationSettings
  readonly time: RunTime
  readonly migrations: MigrationSet
  readonly target: DatabaseTarget
}

/**
 * Migrates a PostgreSQL database in lockstep with the deployment: forward with it, and back with it.
 *
 * @example
 * const migration = new DatabaseMigration(this, 'Migration', { database: cluster, migrations: 'migrations' })
 * migration.executeBefore(service)
 */
export class DatabaseMigration extends Construct {
  /**
   * Fails the deployment of this stack while the database, which another stack migrates, lacks a migration.
   *
   * @example
   * const ready = DatabaseMigration.fromServiceToken(this, 'Schema', { serviceToken, require: '20261121_add_email' })
   * service.node.addDependency(ready)
   */
  static fromServiceToken(scope: Construct, id: string, props: DatabaseRequirementProps): CustomResource {
    return createRequirement(scope, id, props)
  }

  /** Answers CloudFormation, on-demand events such as `{ "action": "status" }`, and the CLI's `--function`. */
  readonly function: lambda.Function
  /** Holds snapshots and the record of runs under way. */
  readonly bucket: s3.IBucket
  /** Identifies this migration to `fromServiceToken` in another stack. */
  readonly serviceToken: string
  readonly resource: CustomResource
  /** Id of the last applied migration, known at deployment. */
  readonly current: string

  constructor(scope: Construct, id: string, props: DatabaseMigrationProps) {
    super(scope, id)
    const settings = migrationSettings(this, props)
    const migrations = explained(() => readMigrationSet(props.migrations))
    explained(() => warnOfUnproven(this, migrations, settings.policy))
    const target = databaseTarget(this, props)
    const time = runTime(this, props.totalTimeout)
    const prefix = snapshotPrefix(this, settings.set)
    const retention = snapshotRetention(this, props)
    const { encryptionKey } = props
    this.bucket = props.snapshotBucket ?? createSnapshotBucket(this, { prefix, retention, encryptionKey })
    const location = { bucket: this.bucket, prefix }
    const { set, historySchema } = settings
    refuseSameSet(this, { set, historySchema, target, databaseName: props.databaseName, location })
    const server = rdsServer(this, props.snapshot, target, settings.set)
    const isDistributed = settings.snapshot.mode === 'logical' && settings.snapshot.workers === 'distributed'
    const machine = isDistributed ? snapshotMachine(this) : undefined
    const snapshots = { location, retention, server, machine }
    const logGroup = this.#createLogGroup('Logs', props)

    this.function = explained(() =>
      createMigrationFunction(this, { props, settings, time, migrations, target, snapshots, logGroup }),
    )
    grantSecret(this, target.secret, this.function)
    grantSnapshots(this.function, location)
    if (server !== undefined) grantRdsSnapshots(this, server, this.function)
    const parts = machine === undefined ? [] : createSnapshotMachine(this, machine, this.function, location)

    const provider = new Provider(this, 'Provider', {
      onEventHandler: this.function,
      ...(time.allInvocations === undefined ? {} : this.#continuation()),
      logGroup: this.#createLogGroup('ProviderLogs', props),
    })
    this.serviceToken = provider.serviceToken
    this.resource = this.#createResource(props, { settings, time, migrations, target })
    this.resource.node.addDependency(...target.resources, ...parts, ...allowNetworkAccess(target, this.function))
    this.current = this.resource.getAttString('Current')
  }

  /** These wait until the database is migrated: whatever runs the code that needs the new schema. */
  executeBefore(...scopes: readonly IConstruct[]): void {
    for (const scope of scopes) scope.node.addDependency(this.resource)
  }

  /** The migration waits for these. */
  executeAfter(...scopes: readonly IConstruct[]): void {
    this.resource.node.addDependency(...scopes)
  }

  /** Lets a person or a pipeline send on-demand events to the function. */
  grantInvoke(grantee: iam.IGrantable): iam.Grant {
    return this.function.grantInvoke(grantee)
  }

  #createLogGroup(id: string, props: DatabaseMigrationProps): logs.LogGroup {
    return new logs.LogGroup(this, id, { retention: props.logRetention ?? logs.RetentionDays.THREE_MONTHS })
  }

  /** The function itself watches the time of the whole run, so the waiter's own limit is never what ends it. */
  #continuation(): Partial<ProviderProps> {
    return {
      isCompleteHandler: this.function,
      queryInterval: QUERY_INTERVAL,
      totalTimeout: Duration.hours(1),
      // The function's log and the framework's say all that this would.
      disableWaiterStateMachineLogging: true,
    }
  }

  #createResource(
    { databaseName }: DatabaseMigrationProps,
    { settings, time, migrations, target }: ResourceInput,
  ): CustomResource {
    const properties: MigrationResourceProperties = {
      set: settings.set,
      migrations: migrations.digest,
      settings: settingsProperty(settings, addressOf(target, databaseName)),
      heads: migrations.head,
    }
    return new CustomResource(this, 'Resource', {
      serviceToken: this.serviceToken,
      resourceType: 'Custom::DatabaseMigration',
      // A function that cannot answer must not hold the deployment for CloudFormation's hour.
      serviceTimeout: time.service,
      properties: { ...properties },
    })
  }
}
