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

export function isCustomResourceEvent(event: unknown): event is CustomResourceEvent {
  return typeof event === 'object' && event !== null && 'RequestType' in event && 'ResourceProperties' in event
}
