import { describe, expect, test } from 'vitest'
import { isAddressed, readAnswer, stringified, type ResourceEvent } from '../../support/cloudformation/event.ts'
import { resolveValue } from '../../support/cloudformation/intrinsics.ts'
import type { ResourceState } from '../../support/cloudformation/resource.ts'
import { scopeOf } from '../../support/cloudformation/scope.ts'
import { refuseInvalid } from '../../support/cloudformation/validation.ts'
import { dependenciesOf, dependencyGraph, type Template } from '../../support/cloudformation/template.ts'

const TEMPLATE: Template = {
  Parameters: { Size: { Default: 'small' }, Zones: { Type: 'CommaDelimitedList', Default: 'a,b' } },
  Mappings: { Sizes: { small: { gb: 1 } } },
  Conditions: {
    IsSmall: { 'Fn::Equals': [{ Ref: 'Size' }, 'small'] },
    IsLarge: { 'Fn::Not': [{ Condition: 'IsSmall' }] },
  },
  Resources: {},
}

type Standing = Pick<ResourceState, 'physicalId' | 'attributes' | 'kind'>

const BUCKET: Standing = {
  kind: 'inert',
  physicalId: 'my-bucket',
  attributes: { Arn: 'arn:aws:s3:::my-bucket', 'Endpoint.Address': 'localhost' },
}

const CUSTOM: Standing = {
  physicalId: 'my-migration',
  kind: 'custom',
  attributes: { Current: '3', Heads: ['a', 'b'], Nested: { Name: 'x' } },
}

const SCOPE = scopeOf({
  template: TEMPLATE,
  stackName: 'Shop',
  stackId: 'arn:stack',
  parameters: {},
  imports: { other: 'imported' },
  resources: new Map([
    ['Bucket', BUCKET],
    ['Migration', CUSTOM],
  ]),
})

describe('a template value', () => {
  test.each([
    [{ Ref: 'Bucket' }, 'my-bucket'],
    [{ Ref: 'Size' }, 'small'],
    [{ Ref: 'Zones' }, ['a', 'b']],
    [{ Ref: 'AWS::Region' }, 'eu-central-1'],
    [{ 'Fn::GetAtt': ['Bucket', 'Arn'] }, 'arn:aws:s3:::my-bucket'],
    [{ 'Fn::GetAtt': ['Bucket', 'Endpoint.Address'] }, 'localhost'],
    [{ 'Fn::GetAtt': ['Bucket', 'Unknown'] }, 'Bucket.Unknown'],
    [{ 'Fn::GetAtt': ['Migration', 'Current'] }, '3'],
    [{ 'Fn::Select': ['1', { 'Fn::GetAtt': 'Migration.Heads' }] }, 'b'],
    [{ 'Fn::Join': ['/', ['s3:/', { Ref: 'Bucket' }, 'prefix']] }, 's3://my-bucket/prefix'],
    [{ 'Fn::Sub': '${AWS::StackName}-${Bucket.Arn}-${!Literal}' }, 'Shop-arn:aws:s3:::my-bucket-${Literal}'],
    [{ 'Fn::Sub': ['${a}${Bucket}', { a: { Ref: 'Size' } }] }, 'smallmy-bucket'],
    [{ 'Fn::Select': [1, { 'Fn::Split': [':', 'a:b:c'] }] }, 'b'],
    [{ 'Fn::If': ['IsLarge', { Ref: 'Nothing' }, { 'Fn::Sub': '${Migration.Current}rd' }] }, '3rd'],
    [{ 'Fn::If': ['IsLarge', 'yes', { Ref: 'AWS::NoValue' }] }, expect.anything()],
    [{ 'Fn::FindInMap': ['Sizes', { Ref: 'Size' }, 'gb'] }, 1],
    [{ 'Fn::ImportValue': 'other' }, 'imported'],
  ])('%j is %j', (value, expected) => {
    expect(resolveValue(value, SCOPE)).toEqual(expected)
  })

  test('without a value leaves its key out', () => {
    expect(resolveValue({ a: { Ref: 'AWS::NoValue' }, b: [{ Ref: 'AWS::NoValue' }, 1] }, SCOPE)).toEqual({ b: [1] })
  })

  test.each([
    [{ Ref: 'Nothing' }],
    [{ 'Fn::GetAtt': ['Nothing', 'Arn'] }],
    [{ 'Fn::If': ['Nothing', 1, 2] }],
    [{ 'Fn::Transform': {} }],
  ])('%j is an error and not a guess', (value) => {
    expect(() => resolveValue(value, SCOPE)).toThrow(/Nothing|Fn::Transform/)
  })

  test.each(['Missing', 'Nested.Name'])('%s of a custom resource whose answer lacks it is an error', (name) => {
    expect(() => resolveValue({ 'Fn::GetAtt': ['Migration', name] }, SCOPE)).toThrow(
      `CustomResource attribute error: Vendor response doesn't contain ${name} attribute in object my-migration`,
    )
  })
})

const DEPENDENT: Template = {
  Resources: {
    Last: { Type: 'T', DependsOn: ['Middle', 'Free'] },
    Middle: { Type: 'T', Properties: { list: [{ 'Fn::Sub': ['x-${First.Arn}-${Free}-${!Last}', { Free: '1' }] }] } },
    First: { Type: 'T', Properties: { vpc: { 'Fn::GetAtt': ['Base', 'Id'] }, zone: { Ref: 'AWS::Region' } } },
    Base: { Type: 'T' },
    Free: { Type: 'T' },
  },
}

test('a resource depends on what it refers to or names in DependsOn', () => {
  expect(dependencyGraph(DEPENDENT)).toEqual(
    new Map([
      ['Last', new Set(['Middle', 'Free'])],
      ['Middle', new Set(['First'])],
      ['First', new Set(['Base'])],
      ['Base', new Set()],
      ['Free', new Set()],
    ]),
  )
  expect(dependenciesOf(DEPENDENT, 'Last')).toEqual(new Set(['Middle', 'First', 'Base', 'Free']))
})

test.each<readonly [string, Template['Resources'], string]>([
  [
    'in a circle',
    { A: { Type: 'T', DependsOn: 'B' }, B: { Type: 'T', DependsOn: 'A' } },
    'Circular dependency between',
  ],
  ['on nothing', { A: { Type: 'T', DependsOn: 'B' } }, 'Unresolved resource dependencies [B]'],
])('resources that depend %s are refused', (_how, resources, message) => {
  expect(() => refuseInvalid({ Resources: resources }, new Map())).toThrow(message)
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
    [{ ...good, PhysicalResourceId: 'x'.repeat(1025) }, 'Invalid PhysicalResourceId'],
    [{ ...good, LogicalResourceId: 'other' }, 'Invalid LogicalResourceId'],
  ])('such as %j is refused', (answer, reason) => {
    expect(read(answer)).toMatchObject({ status: 'FAILED', reason: expect.stringContaining(reason), data: {} })
  })

  test.each([
    [good, true],
    [{ ...good, RequestId: 'other' }, false],
    [{ ...good, StackId: 'other' }, false],
  ])('such as %j is one to the request: %s', (answer, expected) => {
    expect(isAddressed(JSON.stringify(answer), event)).toBe(expected)
  })
})
