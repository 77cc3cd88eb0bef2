import type { Properties } from './template.ts'

/** What CloudFormation sends to a custom resource. */
export interface ResourceEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete'
  readonly RequestId: string
  readonly ResponseURL: string
  readonly StackId: string
  readonly LogicalResourceId: string
  readonly ResourceType: string
  readonly ServiceToken: string
  readonly ResourceProperties: Properties
  readonly OldResourceProperties?: Properties
  readonly PhysicalResourceId?: string
}

/** What became of an event. */
export interface ResourceResponse {
  readonly event: ResourceEvent
  /**
   * `TIMEOUT`: no answer was accepted until CloudFormation gave up. `CANCELLED`: it stopped waiting because the operation
   * ended; what is answered later is not looked at.
   */
  readonly status: 'SUCCESS' | 'FAILED' | 'TIMEOUT' | 'CANCELLED'
  readonly reason: string
  readonly data: Properties
  /** Size of the answer; 0 when there was none. */
  readonly bytes: number
  readonly physicalId?: string
}

/** CloudFormation's limit for an answer. */
const RESPONSE_LIMIT_BYTES = 4096

/** A custom resource's properties as CloudFormation sends them: every number and boolean is a string. */
export function stringified(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stringified)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, stringified(inner)]))
  }
  return String(value)
}

interface Answer {
  readonly Status?: unknown
  readonly Reason?: string
  readonly StackId?: unknown
  readonly RequestId?: unknown
  readonly LogicalResourceId?: unknown
  readonly PhysicalResourceId?: unknown
  readonly Data?: Properties
}

/** Reads an answer as CloudFormation does: one that is too long or malformed is not looked at, and fails the resource. */
export function readAnswer(event: ResourceEvent, body: string): ResourceResponse {
  const bytes = Buffer.byteLength(body)
  const refuse = (reason: string): ResourceResponse => ({ event, status: 'FAILED', reason, data: {}, bytes })
  if (bytes > RESPONSE_LIMIT_BYTES) return refuse('Response object is too long.')
  const answer = parse(body)
  if (answer === null) return refuse('Invalid response: not a JSON object')
  const { Status: status, PhysicalResourceId: physicalId } = answer
  if (answer.StackId !== event.StackId || answer.RequestId !== event.RequestId) return refuse('Invalid response ids')
  if (answer.LogicalResourceId !== event.LogicalResourceId) return refuse('Invalid LogicalResourceId')
  if (status !== 'SUCCESS' && status !== 'FAILED') return refuse(`Invalid Status ${String(status)}`)
  if (typeof physicalId !== 'string' || physicalId === '') return refuse('Invalid PhysicalResourceId')
  return { event, status, reason: answer.Reason ?? '', data: answer.Data ?? {}, bytes, physicalId }
}

/** What CloudFormation says of a custom resource that it has not heard from in time. */
export function noAnswer(event: ResourceEvent): ResourceResponse {
  const reason = `CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [${event.RequestId}].`
  return { event, status: 'TIMEOUT', reason, data: {}, bytes: 0 }
}

/** What CloudFormation says of a custom resource that it no longer waits for. */
export function cancelled(event: ResourceEvent): ResourceResponse {
  const operation = { Create: 'creation', Update: 'update', Delete: 'deletion' }[event.RequestType]
  return { event, status: 'CANCELLED', reason: `Resource ${operation} cancelled`, data: {}, bytes: 0 }
}

function parse(body: string): Answer | null {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? value : null
  } catch {
    return null
  }
}
