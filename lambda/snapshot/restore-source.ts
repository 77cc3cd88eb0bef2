import { Fault, MissingObjectFault } from './fault.ts'
import { MANIFEST_KEY, parseManifest, type SnapshotManifest } from './manifest.ts'
import type { SnapshotStore } from './store.ts'

export interface RestoreSource {
  readonly store: SnapshotStore
  readonly prefix: string
  readonly manifest: SnapshotManifest
}

/**
 * Reads the manifest and makes sure that every object it names is there, before anything is done with them.
 *
 * @throws Fault naming what is missing or damaged.
 */
export async function openSource(store: SnapshotStore, prefix: string): Promise<RestoreSource> {
  const manifest = await readManifest(store, prefix)
  const stored = new Set(await store.list(`${prefix}/`))
  const missing = manifest.objects.filter(({ key }) => !stored.has(`${prefix}/${key}`)).map(({ key }) => key)
  if (missing.length === 0) return { store, prefix, manifest }
  throw new Fault(
    `object ${missing.join(', ')} is missing from the snapshot.`,
    'Restore another snapshot ("snapshots" lists them), or bring the object back if the bucket keeps old versions.',
  )
}

/** @throws Fault when there is none, or it is damaged. */
export async function readManifest(store: SnapshotStore, prefix: string): Promise<SnapshotManifest> {
  try {
    const body = await store.read(`${prefix}/${MANIFEST_KEY}`)
    return parseManifest(Buffer.concat(await body.toArray()).toString('utf8'))
  } catch (error) {
    if (!(error instanceof MissingObjectFault)) throw error
    throw new Fault(
      `there is no ${MANIFEST_KEY} at ${store.uri}/${prefix}: no such snapshot, or one that was never completed.`,
      'Take the uri from "snapshots", which lists the complete ones.',
      error,
    )
  }
}
