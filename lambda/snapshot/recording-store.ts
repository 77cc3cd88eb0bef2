import type { SnapshotStore } from './store.ts'

/** A store that remembers the keys it was asked to write, so that a failure can remove them. */
export function recordingStore(store: SnapshotStore): {
  readonly store: SnapshotStore
  readonly written: () => readonly string[]
} {
  const keys: string[] = []
  return {
    written: () => keys,
    store: {
      ...store,
      write: async (key, body) => {
        // Before the write: one that fails may still have stored something.
        keys.push(key)
        return store.write(key, body)
      },
    },
  }
}
