import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import { DatabaseMigration } from './database-migration.ts'
import type { DatabaseMigrationProps } from './database-migration-props.ts'

/** Properties of a `MigrationStack`. */
export interface MigrationStackProps extends StackProps {
  /** What to migrate: a function, because what it makes or imports belongs to the stack. */
  readonly migration: (stack: Stack) => DatabaseMigrationProps
}

/**
 * A stack that migrates one database, for teams that deploy the schema apart from the applications that need it.
 *
 * @example
 * new MigrationStack(app, 'ShopDatabase', { migration: () => ({ database: cluster, migrations: 'migrations' }) })
 */
export class MigrationStack extends Stack {
  readonly migration: DatabaseMigration

  constructor(scope: Construct, id: string, { migration, ...props }: MigrationStackProps) {
    super(scope, id, props)
    this.migration = new DatabaseMigration(this, 'Migration', migration(this))
    const { function: fn, serviceToken, bucket } = this.migration
    output(this, 'FunctionName', fn.functionName, 'Takes on-demand events such as {"action":"status"}')
    output(this, 'ServiceToken', serviceToken, 'For DatabaseMigration.fromServiceToken in stacks that need this schema')
    output(this, 'SnapshotBucketName', bucket.bucketName, 'Snapshots of the database')
  }
}

function output(stack: Stack, id: string, value: string, description: string): CfnOutput {
  return new CfnOutput(stack, id, { value, description })
}
