import { App, Stack } from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import { DatabaseMigration, type DatabaseMigrationProps } from '../../infra/index.ts'

/** What the context says of each migration, by the id of its construct. */
export type SeveralMigrations = Readonly<
  Record<string, { readonly set: string; readonly secretArn: string; readonly migrations: string }>
>

/**
 * An app whose stack holds several migrations. Its context has one more key, `several`: JSON of
 * {@link SeveralMigrations}, where `migrations` is the context's key of the directory.
 */
function main(): void {
  const app = new App()
  const text = (key: string): string => String(app.node.getContext(key))
  const stack = new Stack(app, text('stackName'))
  const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Network', {
    vpcId: text('vpcId'),
    availabilityZones: [text('availabilityZones')],
    privateSubnetIds: [text('subnetIds')],
  })
  const securityGroup = ec2.SecurityGroup.fromSecurityGroupId(stack, 'DatabaseGroup', text('securityGroupIds'))
  for (const [id, { set, secretArn, migrations }] of Object.entries(JSON.parse(text('several')) as SeveralMigrations)) {
    const secret = secretsmanager.Secret.fromSecretCompleteArn(stack, `${id}Secret`, secretArn)
    const database = { secret, vpc, securityGroups: [securityGroup] } as DatabaseMigrationProps['database']
    createMigration(stack, id, { database, set, migrations: text(migrations), tls: 'disable' })
  }
  app.synth()
}

function createMigration(stack: Stack, id: string, props: DatabaseMigrationProps): DatabaseMigration {
  return new DatabaseMigration(stack, id, props)
}

main()
