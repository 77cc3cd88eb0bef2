import { MissingObjectFault } from './fault.ts'
import { parseManifest, type SnapshotManifest } from './manifest.ts'
import type { SnapshotStore } from './store.ts'

/**
 * A manifest that was listed a moment ago. Null when it is damaged, which restoring the snapshot tells, or was deleted
 * meanwhile: neither must hide the other snapshots.
 */
export async function readListedManifest(store: SnapshotStore, key: string): Promise<SnapshotManifest | null> {
  const text = await readIfThere(store, key)
  try {
    return text === null ? null : parseManifest(text)
  } catch {
    return null
  }
}

async function readIfThere(store: SnapshotStore, key: string): Promise<string | null> {
  try {
    return Buffer.concat(await (await store.read(key)).toArray()).toString('utf8')
  } catch (error) {
    if (error instanceof MissingObjectFault) return null
    throw error
  }
}
