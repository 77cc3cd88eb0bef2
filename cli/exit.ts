/** The exit codes of every command. */
export const EXIT = { done: 0, failed: 1, usage: 2, pending: 3 } as const

/** What a command came to, for a program and for a person. */
export interface Outcome {
  readonly document: unknown
  readonly text: string
  readonly exitCode: number
}
