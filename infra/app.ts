import { App, Duration, type Stack } from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as s3 from 'aws-cdk-lib/aws-s3'
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import { readAppContext, type AppContext, type ExistingDatabaseContext } from './app-context.ts'
import type { DatabaseMigrationProps } from './database-migration-props.ts'
import type { ExistingDatabase } from './database-target.ts'
import { defined } from './defined.ts'
import { createExampleDatabase } from './example-database.ts'
import { MigrationStack } from './migration-stack.ts'
import { SynthesisError } from './synthesis-error.ts'

/**
 * The app that `cdk.json` names. Without context: an example database with its migration. With it, the migration of a
 * database that exists; no look-ups, so that it synthesizes without an AWS account:
 *
 * | key | meaning |
 * |---|---|
 * | `stackName` | default `LockstepExample` |
 * | `vpcId`, `availabilityZones`, `subnetIds` | the network; lists separated by commas, one subnet per zone |
 * | `securityGroupIds` | the database's security groups |
 * | `secretArn` | the whole ARN of the secret with its credentials |
 * | `host`, `port` | default: the secret's |
 * | `databaseName` | default: the secret's `dbname` |
 * | `migrations` | directory, default `migrations` |
 * | `set`, `transaction`, `onRollback`, `onFailure` | as in `DatabaseMigrationProps` |
 * | `snapshot` | `logical` (default), `rds` or `none` |
 * | `snapshotScope`, `snapshotExclude`, `snapshotWorkers` | of a logical one: `affected` or `schemas:a,b`; tables, separated by commas; sessions |
 * | `snapshotKeepLast` | how many of the newest are never deleted (logical), or are kept (rds) |
 * | `snapshotExpireAfter`, `snapshotLockFor` | days |
 * | `instanceIdentifier`, `clusterIdentifier` | what `rds` takes the snapshot of, for a database that exists |
 * | `tls` | `verify-full` (default) or `disable` |
 * | `totalTimeout` | minutes, default 14, at most 60 |
 * | `bucketName` | an existing bucket in place of a new one |
 */
function main(): void {
  // Synthesized below: after an error there is nothing to synthesize.
  const app = new App({ autoSynth: false })
  createStack(app, readAppContext(app.node))
  app.synth()
}

function createStack(app: App, context: AppContext): MigrationStack {
  return new MigrationStack(app, context.stackName, {
    description: 'Lockstep: database migration',
    migration: (stack) => migrationProps(stack, context),
  })
}

function migrationProps(stack: Stack, context: AppContext): DatabaseMigrationProps {
  const { existing, migrations, databaseName, set, transaction, onRollback, onFailure, tls } = context
  const { snapshot, bucketName, totalTimeout } = context
  return {
    database: existing === undefined ? createExampleDatabase(stack) : importDatabase(stack, existing),
    migrations,
    ...defined({
      databaseName,
      set,
      transaction,
      onRollback,
      onFailure,
      tls,
      snapshot,
      totalTimeout: totalTimeout === undefined ? undefined : Duration.minutes(totalTimeout),
      snapshotBucket: bucketName === undefined ? undefined : s3.Bucket.fromBucketName(stack, 'Bucket', bucketName),
    }),
  }
}

function importDatabase(stack: Stack, existing: ExistingDatabaseContext): ExistingDatabase {
  return {
    secret: secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', existing.secretArn),
    vpc: ec2.Vpc.fromVpcAttributes(stack, 'Network', {
      vpcId: existing.vpcId,
      availabilityZones: [...existing.availabilityZones],
      privateSubnetIds: [...existing.subnetIds],
    }),
    securityGroups: existing.securityGroupIds.map((id) =>
      ec2.SecurityGroup.fromSecurityGroupId(stack, `DatabaseSecurityGroup-${id}`, id),
    ),
    ...defined({ host: existing.host, port: existing.port }),
  }
}

try {
  main()
} catch (error) {
  if (!(error instanceof SynthesisError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
