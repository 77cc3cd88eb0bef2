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
  /** Whether the data is not for everybody's eyes. */
  readonly noEcho: boolean
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
  readonly NoEcho?: unknown
}

/** Reads an answer as CloudFormation does: one that is too long or malformed is not looked at, and fails the resource. */
export function readAnswer(event: ResourceEvent, body: string): ResourceResponse {
  const bytes = Buffer.byteLength(body)
  const refuse = (reason: string): ResourceResponse => ({ ...without(event), status: 'FAILED', reason, bytes })
  if (bytes > RESPONSE_LIMIT_BYTES) return refuse('Response object is too long.')
  const answer = parse(body)
  if (answer === null) return refuse('Invalid response: not a JSON object')
  const { Status: status, PhysicalResourceId: physicalId, Data: data = {}, NoEcho: noEcho = false } = answer
  if (answer.LogicalResourceId !== event.LogicalResourceId) return refuse('Invalid LogicalResourceId')
  if (status !== 'SUCCESS' && status !== 'FAILED') return refuse(`Invalid Status ${String(status)}`)
  if (typeof physicalId !== 'string' || !isPhysicalId(physicalId)) return refuse('Invalid PhysicalResourceId')
  return { event, status, reason: answer.Reason ?? '', data, noEcho: noEcho === true, bytes, physicalId }
}

/** "Can be up to 1 KB in size": crpg-ref-responses.html. */
function isPhysicalId(text: string): boolean {
  return text !== '' && Buffer.byteLength(text) <= 1024
}

/** Whether an answer is one to this request of this stack. What is malformed may be. */
export function isAddressed(
  body: string,
  { StackId, RequestId }: Pick<ResourceEvent, 'StackId' | 'RequestId'>,
): boolean {
  const answer = parse(body)
  return answer === null || (answer.StackId === StackId && answer.RequestId === RequestId)
}

/** What CloudFormation says of a custom resource that it has not heard from in time. */
export function noAnswer(event: ResourceEvent): ResourceResponse {
  const reason =
    `CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [${event.RequestId}]. ` +
    'If you are using the Python cfn-response module, you may need to update your Lambda function code so that CloudFormation can attach the updated version.'
  return { ...without(event), status: 'TIMEOUT', reason }
}

/** What CloudFormation says of a custom resource that it no longer waits for. */
export function cancelled(event: ResourceEvent): ResourceResponse {
  const operation = { Create: 'creation', Update: 'update', Delete: 'deletion' }[event.RequestType]
  return { ...without(event), status: 'CANCELLED', reason: `Resource ${operation} cancelled` }
}

function without(event: ResourceEvent): Pick<ResourceResponse, 'event' | 'data' | 'noEcho' | 'bytes'> {
  return { event, data: {}, noEcho: false, bytes: 0 }
}

function parse(body: string): Answer | null {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? value : null
  } catch {
    return null
  }
}
