import { Fault } from './fault.ts'
import type { SnapshotManifest, SnapshotObject } from './manifest.ts'
import { readText } from './object-transfer.ts'
import type { RestoreSource } from './restore-source.ts'
import { parseScript, type Script } from './sql-script.ts'

/** What pg_dump and Lockstep wrote beside the rows. */
export interface RestoreScripts {
  readonly preData: Script
  readonly sequences: Script
  readonly postData: Script
  /** That the scripts with the large objects name. */
  readonly largeObjectRoles: readonly string[]
}

/** Reads and parses them, so that a damaged one is found before anything is made. @throws Fault naming it. */
export async function readScripts(source: RestoreSource): Promise<RestoreScripts> {
  return {
    preData: await readScript(source, 'pre-data.sql'),
    sequences: await readScript(source, 'sequences.sql'),
    postData: await readScript(source, 'post-data.sql'),
    largeObjectRoles: source.manifest.largeObjects?.roles ?? [],
  }
}

async function readScript({ store, prefix, manifest }: RestoreSource, key: string): Promise<Script> {
  return parseScript(key, await readText(store, prefix, objectOf(manifest, key)))
}

/** @throws Fault when the manifest does not list it. */
export function objectOf(manifest: SnapshotManifest, key: string): SnapshotObject {
  const object = manifest.objects.find((candidate) => candidate.key === key)
  if (object !== undefined) return object
  throw new Fault(`the manifest lists no object ${key}.`, 'Restore another snapshot ("snapshots" lists them).')
}
