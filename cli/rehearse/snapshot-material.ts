import type { Lockstep } from '../../lambda/lockstep.ts'
import { LockstepError, UNTOUCHED } from '../../lambda/errors.ts'
import { toLockstepError } from '../../lambda/snapshot/failure.ts'
import { openSource } from '../../lambda/snapshot/restore-source.ts'
import { listSnapshots } from '../../lambda/snapshot/snapshot.ts'
import { prefixOf } from '../../lambda/snapshot/snapshot-uri.ts'
import { refuseStorageSnapshot } from '../../lambda/snapshot/storage-restore.ts'
import type { Material } from './material.ts'

export const LATEST = 'latest'

/**
 * Finds a snapshot in the store.
 *
 * @param wanted - its uri, or `latest`
 * @param database - whose latest; null: of the only database in the store
 * @throws LockstepError `CONFIG_INVALID` when none is named or found, `RESTORE_FAILED` for one that is damaged.
 */
export async function snapshotMaterial(lockstep: Lockstep, wanted: string, database: string | null): Promise<Material> {
  const { store } = lockstep.snapshots()
  const uri = wanted === LATEST ? await latestOf(lockstep, database) : wanted
  refuseStorageSnapshot(uri)
  const prefix = prefixOf(store, uri)
  try {
    const { manifest } = await openSource(store, prefix)
    const { createdAt, server, tables } = manifest
    const omitted = tables.filter((table) => table.omitted !== null)
    const withoutRows = omitted.map(({ schema, name }) => `${schema}.${name}`)
    const facts = { at: createdAt, serverVersion: server.version, withoutRows }
    const source = {
      kind: 'snapshot',
      database: manifest.database.name,
      uri: `${store.uri}/${prefix}`,
      ...facts,
    } as const
    return { store, prefix, manifest, source, live: null }
  } catch (error) {
    const subject = `Reading the snapshot ${store.uri}/${prefix}`
    throw toLockstepError(error, { code: 'RESTORE_FAILED', subject, state: UNTOUCHED, signal: lockstep.signal })
  }
}

async function latestOf(lockstep: Lockstep, database: string | null): Promise<string> {
  const { store } = lockstep.snapshots()
  const found = await listSnapshots({ store }, database ?? undefined)
  const databases = [...new Set(found.map((snapshot) => snapshot.database))]
  const [latest] = found
  if (latest !== undefined && databases.length === 1) return latest.uri
  const named = database === null ? '' : ` of "${database}"`
  throw new LockstepError({
    code: 'CONFIG_INVALID',
    message:
      latest === undefined
        ? `There is no complete snapshot${named} in ${store.uri}.`
        : `"latest" could be of several databases in ${store.uri}: ${databases.toSorted().join(', ')}.`,
    state: UNTOUCHED,
    remedy:
      latest === undefined
        ? 'Take one with "snapshot", give another --snapshots, or leave --snapshot away to rehearse on the structure of the database.'
        : 'Give --database-url, or the uri of the snapshot ("snapshots" lists them).',
  })
}
