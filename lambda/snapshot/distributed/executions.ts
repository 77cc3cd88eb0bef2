/** How an execution of the state machine stands. */
export interface Execution {
  readonly status: 'running' | 'succeeded' | 'failed'
  /** As it was started with. */
  readonly input: string
  /** Why it failed, as the service tells it; null: it has not, or the service does not say. */
  readonly cause: string | null
}

/** The state machine that distributes a copy. Everything rejects with a Fault that says what to do. */
export interface Executions {
  /** Does nothing when there is one of this name. */
  readonly start: (name: string, input: string) => Promise<void>
  /** Null when there is none. */
  readonly find: (name: string) => Promise<Execution | null>
  readonly stop: (name: string, cause: string) => Promise<void>
}
