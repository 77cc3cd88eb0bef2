import { describe, expect, test } from 'vitest'
import { readAnswer, stringified, type ResourceEvent } from '../../support/cloudformation/event.ts'
import { resolveValue } from '../../support/cloudformation/intrinsics.ts'
import { scopeOf } from '../../support/cloudformation/scope.ts'
import { dependencyOrder, type Template } from '../../support/cloudformation/template.ts'

const TEMPLATE: Template = {
  Parameters: { Size: { Default: 'small' } },
  Mappings: { Sizes: { small: { gb: 1 } } },
  Conditions: {
    IsSmall: { 'Fn::Equals': [{ Ref: 'Size' }, 'small'] },
    IsLarge: { 'Fn::Not': [{ Condition: 'IsSmall' }] },
  },
  Resources: {},
}

const BUCKET = {
  logicalId: 'Bucket',
  type: 'AWS::S3::Bucket',
  properties: {},
  physicalId: 'my-bucket',
  attributes: { Arn: 'arn:aws:s3:::my-bucket', 'Endpoint.Address': 'localhost' },
}

const SCOPE = scopeOf({
  template: TEMPLATE,
  stackName: 'Shop',
  stackId: 'arn:stack',
  parameters: {},
  imports: { other: 'imported' },
  resources: new Map([['Bucket', BUCKET]]),
})

describe('a template value', () => {
  test.each([
    [{ Ref: 'Bucket' }, 'my-bucket'],
    [{ Ref: 'Size' }, 'small'],
    [{ Ref: 'AWS::Region' }, 'eu-central-1'],
    [{ 'Fn::GetAtt': ['Bucket', 'Arn'] }, 'arn:aws:s3:::my-bucket'],
    [{ 'Fn::GetAtt': ['Bucket', 'Endpoint.Address'] }, 'localhost'],
    [{ 'Fn::GetAtt': ['Bucket', 'Unknown'] }, 'Bucket.Unknown'],
    [{ 'Fn::Join': ['/', ['s3:/', { Ref: 'Bucket' }, 'prefix']] }, 's3://my-bucket/prefix'],
    [{ 'Fn::Sub': '${AWS::StackName}-${Bucket.Arn}-${!Literal}' }, 'Shop-arn:aws:s3:::my-bucket-${Literal}'],
    [{ 'Fn::Sub': ['${a}${Bucket}', { a: { Ref: 'Size' } }] }, 'smallmy-bucket'],
    [{ 'Fn::Select': [1, { 'Fn::Split': [':', 'a:b:c'] }] }, 'b'],
    [{ 'Fn::If': ['IsLarge', 'yes', { Ref: 'AWS::NoValue' }] }, expect.anything()],
    [{ 'Fn::FindInMap': ['Sizes', { Ref: 'Size' }, 'gb'] }, 1],
    [{ 'Fn::ImportValue': 'other' }, 'imported'],
  ])('%j is %j', (value, expected) => {
    expect(resolveValue(value, SCOPE)).toEqual(expected)
  })

  test('without a value leaves its key out', () => {
    expect(resolveValue({ a: { Ref: 'AWS::NoValue' }, b: [{ Ref: 'AWS::NoValue' }, 1] }, SCOPE)).toEqual({ b: [1] })
  })

  test.each([[{ Ref: 'Nothing' }], [{ 'Fn::GetAtt': ['Nothing', 'Arn'] }], [{ 'Fn::Transform': {} }]])(
    '%j is an error and not a guess',
    (value) => {
      expect(() => resolveValue(value, SCOPE)).toThrow(/Nothing|Fn::Transform/)
    },
  )
})

test('resources come after what they refer to or depend on, and otherwise in the order of the template', () => {
  const order = dependencyOrder({
    Resources: {
      Last: { Type: 'T', DependsOn: ['Middle', 'Free'] },
      Middle: { Type: 'T', Properties: { list: [{ 'Fn::Sub': 'x-${First.Arn}' }] } },
      First: { Type: 'T', Properties: { vpc: { 'Fn::GetAtt': ['Base', 'Id'] }, zone: { Ref: 'AWS::Region' } } },
      Base: { Type: 'T' },
      Free: { Type: 'T' },
    },
  })
  expect(order).toEqual(['Base', 'First', 'Middle', 'Free', 'Last'])
})

test('properties of a custom resource are sent as strings, however deep', () => {
  expect(stringified({ a: 1, b: [true, { c: 2.5 }], d: 'text' })).toEqual({
    a: '1',
    b: ['true', { c: '2.5' }],
    d: 'text',
  })
})

describe('an answer of a custom resource', () => {
  const event: ResourceEvent = {
    RequestType: 'Create',
    RequestId: 'r',
    ResponseURL: 'https://example.com',
    StackId: 's',
    LogicalResourceId: 'l',
    ResourceType: 'Custom::T',
    ServiceToken: 't',
    ResourceProperties: {},
  }
  const good = { Status: 'SUCCESS', StackId: 's', RequestId: 'r', LogicalResourceId: 'l', PhysicalResourceId: 'p' }
  const read = (answer: unknown): unknown => readAnswer(event, JSON.stringify(answer))

  test('of exactly 4,096 bytes is read, one byte more is not', () => {
    const empty = { ...good, Reason: '' }
    const room = 4096 - Buffer.byteLength(JSON.stringify(empty))
    expect(read({ ...good, Reason: 'x'.repeat(room) })).toMatchObject({ status: 'SUCCESS', bytes: 4096 })
    expect(read({ ...good, Reason: 'x'.repeat(room + 1) })).toMatchObject({
      status: 'FAILED',
      reason: 'Response object is too long.',
      bytes: 4097,
    })
  })

  test.each([
    ['text', 'not a JSON object'],
    [{ ...good, Status: 'OK' }, 'Invalid Status OK'],
    [{ ...good, PhysicalResourceId: undefined }, 'Invalid PhysicalResourceId'],
    [{ ...good, RequestId: 'other' }, 'Invalid response ids'],
    [{ ...good, LogicalResourceId: 'other' }, 'Invalid LogicalResourceId'],
  ])('such as %j is refused', (answer, reason) => {
    expect(read(answer)).toMatchObject({ status: 'FAILED', reason: expect.stringContaining(reason), data: {} })
  })
})
