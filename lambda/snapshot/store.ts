import type { Readable } from 'node:stream'

/** Where snapshots are kept. Keys are relative, separated by `/`. An object is visible only once it is complete. */
export interface SnapshotStore {
  /** Without trailing slash: `s3://bucket/prefix` or `file:///absolute/directory`. */
  readonly uri: string
  /** Streams the body to `key`; resolves with the stored bytes. Leaves nothing behind when the stream fails. */
  readonly write: (key: string, body: Readable) => Promise<{ readonly bytes: number }>
  /** Rejects when there is no such object. */
  readonly read: (key: string) => Promise<Readable>
  /** All keys that begin with `prefix`, sorted. */
  readonly list: (prefix: string) => Promise<readonly string[]>
  readonly remove: (keys: readonly string[]) => Promise<void>
}
