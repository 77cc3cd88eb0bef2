import { Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as rds from 'aws-cdk-lib/aws-rds'

/**
 * An Aurora PostgreSQL cluster in a network of its own, without a route to the internet: the function reaches
 * Secrets Manager and S3 by endpoints. Pauses when it is not used.
 */
export function createExampleDatabase(stack: Stack): rds.DatabaseCluster {
  const vpc = createIsolatedVpc(stack)
  return new rds.DatabaseCluster(stack, 'Database', {
    engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_9 }),
    vpc,
    vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
    writer: rds.ClusterInstance.serverlessV2('Writer'),
    serverlessV2MinCapacity: 0,
    serverlessV2MaxCapacity: 4,
    defaultDatabaseName: 'shop',
    storageEncrypted: true,
    iamAuthentication: true,
    deletionProtection: true,
    backup: { retention: Duration.days(7) },
    removalPolicy: RemovalPolicy.SNAPSHOT,
  })
}

function createIsolatedVpc(stack: Stack): ec2.IVpc {
  const vpc = new ec2.Vpc(stack, 'Network', {
    maxAzs: 2,
    natGateways: 0,
    subnetConfiguration: [{ name: 'Isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
  })
  vpc.addInterfaceEndpoint('SecretsManager', { service: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER })
  vpc.addGatewayEndpoint('S3', { service: ec2.GatewayVpcEndpointAwsService.S3 })
  // CDK's class and its interface differ in an undefined that only exactOptionalPropertyTypes sees.
  return vpc as ec2.IVpc
}
