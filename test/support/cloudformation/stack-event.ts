/** One line of what `cdk deploy` shows while it waits: a status that a resource, or the stack itself, has come to. */
export interface StackEvent {
  /** The stack's name where the status is its own. */
  readonly logicalId: string
  readonly status: string
  readonly reason?: string
}

export type Tell = (event: StackEvent) => void
