/** What the state machine of a distributed copy invokes the function for. Takes nothing from the event but where. */
export type SnapshotWorkEvent =
  /** Copies one item of the work list. */
  | { readonly snapshotWork: 'copy'; readonly prefix: string; readonly item: number }
  /** Holds the consistent view, as one of two that take turns. */
  | { readonly snapshotWork: 'hold'; readonly prefix: string; readonly slot: 1 | 2 }
  /** Ends the copy, if all is done. */
  | { readonly snapshotWork: 'end'; readonly prefix: string }
  /** Ends a copy that has failed. */
  | { readonly snapshotWork: 'give-up'; readonly prefix: string }

/** What the state machine takes from an invocation. */
export interface SnapshotWorkAnswer {
  readonly done: boolean
}

/** Whether an event is the state machine's, however it is made up otherwise. */
export function isSnapshotWork(event: unknown): event is { readonly snapshotWork: unknown } {
  return typeof event === 'object' && event !== null && 'snapshotWork' in event
}
