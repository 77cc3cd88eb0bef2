import { invalidEvent, shown } from './event-invalid.ts'

/** CloudFormation's event, as the Provider framework passes it on. Every property is a text. */
export interface CustomResourceEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete'
  readonly RequestId: string
  readonly StackId: string
  readonly LogicalResourceId: string
  readonly PhysicalResourceId?: string
  readonly ResourceProperties: Readonly<Record<string, unknown>>
  readonly OldResourceProperties?: Readonly<Record<string, unknown>>
  /** What `onEvent` answered with: the Provider framework hands it on to every `isComplete`. */
  readonly Continuation?: Continuation
}

/** How a run goes on after its first invocation. */
export interface Continuation {
  readonly complete: boolean
  /** When the time of the whole run is over, in milliseconds since 1970. */
  readonly deadline: number
}

const REQUEST_TYPES: readonly unknown[] = ['Create', 'Update', 'Delete'] satisfies CustomResourceEvent['RequestType'][]

/**
 * The event of a custom resource; null for any other event.
 *
 * @throws LockstepError `EVENT_INVALID` for one that CloudFormation does not send: nobody waits for its answer.
 */
export function customResourceEvent(event: unknown): CustomResourceEvent | null {
  if (typeof event !== 'object' || event === null || !('RequestType' in event)) return null
  const fields = event as Readonly<Record<string, unknown>>
  for (const [key, isRight] of Object.entries(CHECKS)) {
    const value = fields[key]
    if (!isRight(value, fields)) throw refusal(key, value)
  }
  return event as CustomResourceEvent
}

type Check = (value: unknown, fields: Readonly<Record<string, unknown>>) => boolean

const CHECKS: Readonly<Record<string, Check>> = {
  RequestType: (value) => REQUEST_TYPES.includes(value),
  RequestId: isName,
  StackId: isName,
  LogicalResourceId: isName,
  ResponseURL: isName,
  ResourceProperties: isObject,
  OldResourceProperties: (value, { RequestType }) => RequestType !== 'Update' || isObject(value),
  Continuation: (value) => value === undefined || isContinuation(value),
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isContinuation(value: unknown): boolean {
  return isObject(value) && 'complete' in value && 'deadline' in value && Number.isFinite(value.deadline)
}

function refusal(key: string, value: unknown) {
  return invalidEvent(
    `"${key}" is ${shown(value)}.`,
    'Leave such events to CloudFormation; to apply what is pending, send {"action":"up"}.',
  )
}
