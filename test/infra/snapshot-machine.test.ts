import { Template } from 'aws-cdk-lib/assertions'
import { beforeAll, describe, expect, it } from 'vitest'
import { Snapshot } from '../../infra/index.ts'
import { parseDefinition } from '../support/step-functions/definition.ts'
import {
  createMigration,
  createStack,
  migrationFunction,
  migrationResource,
  soleResource,
  synthesize,
  type TemplateResource,
} from './fixtures.ts'
import { allows, textOf, type Statement } from './iam.ts'

function statesArn(resource: string): string {
  return `arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:${resource}`
}

function object(key: string): string {
  return `<MigrationSnapshotBucket810D29DD>/${key}`
}

function statementsOf(template: Template, policy: string): readonly Statement[] {
  const policies = Object.entries(template.findResources('AWS::IAM::Policy')) as [string, TemplateResource][]
  return policies
    .filter(([id]) => id.startsWith(policy))
    .flatMap(
      ([, { Properties }]) => (Properties.PolicyDocument as { readonly Statement: readonly Statement[] }).Statement,
    )
}

describe('a distributed copy', () => {
  let template: Template
  let name: string

  beforeAll(() => {
    const stack = createStack()
    createMigration(stack, { snapshot: Snapshot.logical({ workers: 'distributed' }) })
    template = Template.fromStack(stack)
    name = String(soleResource(template, 'AWS::StepFunctions::StateMachine')[1].Properties['StateMachineName'])
  })

  it('is made by a state machine that the function knows, and that is there before the first migration', () => {
    const [id] = soleResource(template, 'AWS::StepFunctions::StateMachine')
    expect(name).toMatch(/^Shop-?Migration.*-copy$/)
    const { Variables } = migrationFunction(template).Properties['Environment'] as {
      readonly Variables: Readonly<Record<string, unknown>>
    }
    expect(textOf(Variables['LOCKSTEP_SNAPSHOT_MACHINE'])).toBe(statesArn(`stateMachine:${name}`))
    expect(Variables).not.toHaveProperty('LOCKSTEP_SNAPSHOT_WORKERS')
    expect(migrationResource(template).DependsOn).toEqual(
      expect.arrayContaining([id, expect.stringContaining('SnapshotMachinePolicy')]),
    )
  })

  it('has a definition that copies all items, none of which may fail, and holds the view twice', () => {
    const [, machine] = soleResource(template, 'AWS::StepFunctions::StateMachine')
    const definition = textOf(machine.Properties['DefinitionString']).replaceAll('<AWS::Partition>', 'aws')
    const text = definition.replaceAll(
      /<Migration[^>]*Function[^>]*>/g,
      'arn:aws:lambda:eu-central-1:111122223333:function:f',
    )
    const { states, timeoutSeconds } = parseDefinition(text)
    const snapshot = states.get('Snapshot')
    if (snapshot?.type !== 'Parallel') throw new Error('no branches')
    const [copying, ...holding] = snapshot.branches
    expect(timeoutSeconds).toBe(4500)
    expect(copying?.states.get('Copy all')).toMatchObject({
      type: 'Map',
      concurrency: 64,
      selector: { snapshotWork: 'copy', 'prefix.$': '$.prefix', 'item.$': '$$.Map.Item.Value' },
    })
    expect(holding.map(({ states, startAt }) => states.get(startAt))).toEqual(
      [1, 2].map((slot) =>
        expect.objectContaining({ parameters: { snapshotWork: 'hold', 'prefix.$': '$.prefix', slot } }),
      ),
    )
  })

  it('may do this and nothing else', () => {
    const statements = statementsOf(template, 'MigrationSnapshotMachinePolicy')
    const can = (action: string, resource: string): boolean => allows(statements, { action, resource })
    const [fn = ''] = Object.keys(
      template.findResources('AWS::Lambda::Function', { Properties: { Handler: 'index.handler' } }),
    )
    expect([
      can('lambda:InvokeFunction', `<${fn}>`),
      can('s3:GetObject', object('lockstep/Shop/default/shop/20260101T000000Z-1/copying/numbers.json')),
      can('kms:Decrypt', '<MigrationSnapshotKeyA3D587FB>'),
      can('states:StartExecution', statesArn(`stateMachine:${name}`)),
      can('states:StopExecution', statesArn(`execution:${name}/Copy all:1`)),
    ]).toEqual([true, true, true, true, true])
    expect([
      can('lambda:InvokeFunction', '<Other>'),
      can('s3:GetObject', object('lockstep/Shop/default/shop/20260101T000000Z-1/data/0001-a.copy.zst')),
      can('s3:GetObject', object('lockstep/Shop/billing/shop/20260101T000000Z-1/copying/numbers.json')),
      can('s3:PutObject', object('lockstep/Shop/default/shop/20260101T000000Z-1/copying/numbers.json')),
      can('kms:GenerateDataKey', '<MigrationSnapshotKeyA3D587FB>'),
      can('states:StartExecution', statesArn('stateMachine:Other')),
      can('secretsmanager:GetSecretValue', 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop-AbCdEf'),
    ]).toEqual(Array(7).fill(false))
  })

  it('can be begun, looked for and stopped by the function, and no other can', () => {
    const statements = statementsOf(template, 'MigrationFunction')
    const can = (action: string, resource: string): boolean =>
      allows(statements, { action: `states:${action}`, resource: statesArn(resource) })
    expect([
      can('StartExecution', `stateMachine:${name}`),
      can('DescribeExecution', `execution:${name}:run-1`),
      can('StopExecution', `execution:${name}:run-1`),
      can('StartExecution', 'stateMachine:Other'),
      can('DescribeExecution', 'execution:Other:run-1'),
      can('UpdateStateMachine', `stateMachine:${name}`),
      can('DeleteStateMachine', `stateMachine:${name}`),
    ]).toEqual([true, true, true, false, false, false, false])
  })

  it('takes no state machine where one function copies', () => {
    const template = synthesize({ snapshot: Snapshot.logical({ workers: 8 }) })
    expect(template.findResources('AWS::StepFunctions::StateMachine')).toEqual({})
  })
})
