/** What one invocation was and what came of it. */
export interface Invocation {
  readonly functionName: string
  readonly requestId: string
  /** JSON text of the event. */
  readonly event: string
  /** JSON text of the result, or of the error object. */
  readonly payload: string
  readonly functionError?: 'Unhandled'
  readonly durationMs: number
  readonly maxMemoryMb: number
}
