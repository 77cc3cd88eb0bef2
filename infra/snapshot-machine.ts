import { ArnFormat, Names, Stack } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import type * as lambda from 'aws-cdk-lib/aws-lambda'
import * as sfn from 'aws-cdk-lib/aws-stepfunctions'
import type { Construct } from 'constructs'
import { DISTRIBUTED_WORKERS } from '../lambda/snapshot-settings.ts'
import { snapshotMachineDefinition } from './snapshot-machine-definition.ts'
import type { SnapshotLocation } from './snapshot-bucket.ts'

/** The state machine that distributes a copy over invocations of the function. */
export interface SnapshotMachine {
  readonly name: string
  readonly arn: string
}

/** Name and ARN, known before the machine: the function is told the ARN, and the machine refers to the function. */
export function snapshotMachine(scope: Construct): SnapshotMachine {
  const name = Names.uniqueResourceName(scope, { separator: '-', maxLength: 70 }).concat('-copy')
  return { name, arn: arnOf(scope, 'stateMachine', name) }
}

function arnOf(scope: Construct, resource: string, resourceName: string): string {
  const arnFormat = ArnFormat.COLON_RESOURCE_NAME
  return Stack.of(scope).formatArn({ service: 'states', resource, resourceName, arnFormat })
}

/**
 * Makes the state machine, which may invoke this function and read what the function has written for it, and lets the
 * function start it. Gives what must be there before the first copy.
 */
export function createSnapshotMachine(
  scope: Construct,
  machine: SnapshotMachine,
  fn: lambda.Function,
  location: SnapshotLocation,
): readonly Construct[] {
  const role = new iam.Role(scope, 'SnapshotMachineRole', {
    assumedBy: new iam.ServicePrincipal('states.amazonaws.com'),
    description: `Distributes the copy of a database: ${scope.node.path}`,
  })
  const policy = new iam.Policy(scope, 'SnapshotMachinePolicy', {
    roles: [role],
    statements: machineStatements(scope, machine, fn, location),
  })
  const definition = snapshotMachineDefinition({
    functionArn: fn.functionArn,
    bucketName: location.bucket.bucketName,
    concurrency: DISTRIBUTED_WORKERS,
  })
  const stateMachine = new sfn.StateMachine(scope, 'SnapshotMachine', {
    stateMachineName: machine.name,
    definitionBody: sfn.DefinitionBody.fromString(Stack.of(scope).toJsonString(definition)),
    role,
  })
  for (const statement of callerStatements(scope, machine)) fn.grantPrincipal.addToPrincipalPolicy(statement)
  return [stateMachine, policy]
}

/** A distributed map runs its items as executions of the machine itself. */
function machineStatements(
  scope: Construct,
  { name, arn }: SnapshotMachine,
  fn: lambda.Function,
  { bucket, prefix }: SnapshotLocation,
): iam.PolicyStatement[] {
  const { encryptionKey } = bucket
  return [
    new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [fn.functionArn] }),
    new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: [bucket.arnForObjects(`${prefix}/*/copying/*`)] }),
    ...(encryptionKey === undefined
      ? []
      : [new iam.PolicyStatement({ actions: ['kms:Decrypt'], resources: [encryptionKey.keyArn] })]),
    new iam.PolicyStatement({ actions: ['states:StartExecution'], resources: [arn] }),
    new iam.PolicyStatement({
      actions: ['states:DescribeExecution', 'states:StopExecution'],
      resources: [arnOf(scope, 'execution', `${name}*`)],
    }),
  ]
}

function callerStatements(scope: Construct, { name, arn }: SnapshotMachine): readonly iam.PolicyStatement[] {
  return [
    new iam.PolicyStatement({ actions: ['states:StartExecution'], resources: [arn] }),
    new iam.PolicyStatement({
      actions: ['states:DescribeExecution', 'states:StopExecution'],
      resources: [arnOf(scope, 'execution', `${name}:*`)],
    }),
  ]
}
