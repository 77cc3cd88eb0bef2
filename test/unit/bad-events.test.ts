import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { handler } from '../../lambda/handler.ts'

/** Nothing answers there: an event that is not refused fails of something else. */
const ENVIRONMENT = {
  LOCKSTEP_SECRET_ARN: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop-AbCdEf',
  LOCKSTEP_SNAPSHOTS: 's3://bucket/prefix',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'a',
  AWS_SECRET_ACCESS_KEY: 'b',
  POWERTOOLS_LOG_LEVEL: 'SILENT',
}

beforeEach(() => {
  for (const [name, value] of Object.entries(ENVIRONMENT)) vi.stubEnv(name, value)
})
afterEach(() => void vi.unstubAllEnvs())

async function refusalOf(event: unknown): Promise<Error> {
  const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 60_000 }
  return handler(event, context).then(
    () => new Error('it was answered'),
    (error: unknown) => error as Error,
  )
}

const CREATE = {
  RequestType: 'Create',
  RequestId: 'r',
  ResponseURL: 'https://cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com/r',
  StackId: 'arn:aws:cloudformation:eu-central-1:111122223333:stack/Shop/1',
  LogicalResourceId: 'Migration',
  ResourceProperties: { ServiceToken: 't', set: 'default', migrations: 'm', settings: 's', heads: 'h' },
}
const UPDATE = { ...CREATE, RequestType: 'Update', OldResourceProperties: CREATE.ResourceProperties }

const without = (key: keyof typeof UPDATE): object =>
  Object.fromEntries(Object.entries(UPDATE).filter(([name]) => name !== key))

describe('an event that nobody means', () => {
  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'The event is not an object.'],
    ['null', null, 'The event is not an object.'],
    ['a text', 'status', 'The event is not an object.'],
    ['a number', 1, 'The event is not an object.'],
    ['a list', [{ action: 'up' }], 'The event is not an object.'],
    ['an empty object', {}, 'The event has no "action".'],
    ['the test event of the console', { key1: 'value1', key2: 'value2' }, 'The event has no "action".'],
    ['messages of a queue', { Records: [{ body: '{"action":"up"}' }] }, 'The event has no "action".'],
    [
      'an event of EventBridge',
      { version: '0', id: '1', 'detail-type': 'Scheduled Event', source: 'aws.events', detail: { action: 'up' } },
      'The event has no "action".',
    ],
    [
      'a request of API Gateway',
      { version: '2.0', rawPath: '/', requestContext: { http: { method: 'POST' } }, body: '{"action":"up"}' },
      'The event has no "action".',
    ],
    ['no action', { action: null }, 'The action null is not known.'],
    ['a list of actions', { action: ['up'] }, 'The action ["up"] is not known.'],
    ['an action of every object', { action: 'constructor' }, 'The action "constructor" is not known.'],
    ['an action in capitals', { action: 'UP' }, 'The action "UP" is not known.'],
    ['an action and records', { action: 'up', Records: [] }, 'The action "up" does not take "Records".'],
    [
      'a key of every object',
      JSON.parse('{"action":"up","__proto__":1}'),
      'The action "up" does not take "__proto__".',
    ],
    ['a null', { action: 'up', to: null }, '"to" is null.'],
    ['a text for a flag', { action: 'up', dryRun: 'false' }, '"dryRun" is "false".'],
    ['a number for a flag', { action: 'plan', sql: 1 }, '"sql" is 1.'],
    ['an object for a text', { action: 'down', to: {} }, '"to" is {}.'],
    ['no steps', { action: 'down', steps: 0 }, '"steps" is 0.'],
    ['steps upwards', { action: 'down', steps: -1 }, '"steps" is -1.'],
    ['half a step', { action: 'down', steps: 1.5 }, '"steps" is 1.5.'],
    ['a list for a down', { action: 'plan', down: [] }, '"down" is [].'],
    ['a key that a down does not have', { action: 'plan', down: { step: 2 } }, '"down" does not take "step".'],
    ['a confirmation that is none', { action: 'down', confirm: true }, '"confirm" is true.'],
  ])('%s is refused', async (_, event, message) => {
    const { name, message: sentence } = await refusalOf(event)
    expect(name).toBe('EVENT_INVALID')
    expect(sentence).toContain(`EVENT_INVALID: ${message} The database has not been touched. `)
  })

  it.each<[string, unknown, string]>([
    ['of no known type', { ...CREATE, RequestType: 'Banana' }, '"RequestType" is "Banana".'],
    ['of an action as well', { action: 'status', RequestType: 'Create' }, '"RequestId" is undefined.'],
    ['without an id', without('RequestId'), '"RequestId" is undefined.'],
    ['without a stack', without('StackId'), '"StackId" is undefined.'],
    ['without a resource', without('LogicalResourceId'), '"LogicalResourceId" is undefined.'],
    ['without properties', without('ResourceProperties'), '"ResourceProperties" is undefined.'],
    ['with a list of properties', { ...CREATE, ResourceProperties: [] }, '"ResourceProperties" is [].'],
    ['of an update without a before', without('OldResourceProperties'), '"OldResourceProperties" is undefined.'],
    ['that nobody waits for the answer of', without('ResponseURL'), '"ResponseURL" is undefined.'],
    ['with a continuation of nothing', { ...CREATE, Continuation: {} }, '"Continuation" is {}.'],
  ])('of CloudFormation, %s, is refused', async (_, event, message) => {
    const { name, message: sentence } = await refusalOf(event)
    expect(name).toBe('EVENT_INVALID')
    expect(sentence).toContain(`EVENT_INVALID: ${message} The database has not been touched. `)
    expect(sentence).toContain('Leave such events to CloudFormation')
  })

  it('is refused shortly, however large it is', async () => {
    const huge = 'x'.repeat(1_000_000)
    const keys = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`key${index}`, 1]))
    const events = [
      { action: huge },
      { action: 'up', to: [huge] },
      { action: 'up', ...keys },
      { action: 'up', [huge]: 1 },
      { ...CREATE, RequestType: huge },
    ]
    for (const event of events) {
      const { name, message } = await refusalOf(event)
      expect(name).toBe('EVENT_INVALID')
      expect(message.length).toBeLessThan(500)
      expect(message).toMatch(/\. The database has not been touched\. \S.*\.$/)
    }
  })
})
