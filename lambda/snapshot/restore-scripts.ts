import { Fault } from './fault.ts'
import type { SnapshotManifest, SnapshotObject } from './manifest.ts'
import { readText } from './object-transfer.ts'
import { forServer } from './pg-dump-compatibility.ts'
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

/**
 * Reads and parses them, so that a damaged one is found before anything is made.
 *
 * @param version Of the server that they are for, as a number: without what pg_dump writes in any case and it does not know.
 * @throws Fault naming it.
 */
export async function readScripts(source: RestoreSource, version: number): Promise<RestoreScripts> {
  return {
    preData: await readScript(source, 'pre-data.sql', version),
    sequences: await readScript(source, 'sequences.sql', version),
    postData: await readScript(source, 'post-data.sql', version),
    largeObjectRoles: source.manifest.largeObjects?.roles ?? [],
  }
}

async function readScript({ store, prefix, manifest }: RestoreSource, key: string, version: number): Promise<Script> {
  const text = await readText(store, prefix, objectOf(manifest, key))
  return parseScript(key, forServer(text, version))
}

/** @throws Fault when the manifest does not list it. */
export function objectOf(manifest: SnapshotManifest, key: string): SnapshotObject {
  const object = manifest.objects.find((candidate) => candidate.key === key)
  if (object !== undefined) return object
  throw new Fault(`the manifest lists no object ${key}.`, 'Restore another snapshot ("snapshots" lists them).')
}
