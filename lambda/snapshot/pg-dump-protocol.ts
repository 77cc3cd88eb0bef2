/** Between the thread that holds the session and the thread that pg_dump blocks. */

export interface PgDumpWorkerData {
  /** One Int32: how many chunks have been posted to the worker so far. The worker sleeps on it. */
  readonly posted: SharedArrayBuffer
  /** What the server reports after a log-in. */
  readonly parameters: Readonly<Record<string, string>>
  readonly args: readonly string[]
}

export type FromPgDump =
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  /** So many bytes of the server's answer have been taken off the queue. */
  | { readonly type: 'taken'; readonly bytes: number }
  | { readonly type: 'done'; readonly sql: string }
  | { readonly type: 'failed'; readonly message: string }
