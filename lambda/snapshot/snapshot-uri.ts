import { isAbsolute, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LockstepError, UNTOUCHED } from '../errors.ts'
import type { SnapshotStore } from './store.ts'

/**
 * The key prefix of the snapshot at `uri` within the store. A directory store also takes a path or a `file:` URL.
 *
 * @throws LockstepError `CONFIG_INVALID` when the snapshot is not in this store.
 */
export function prefixOf(store: Pick<SnapshotStore, 'uri'>, uri: string): string {
  const trimmed = uri.replace(/\/manifest\.json$/, '').replace(/\/+$/, '')
  const prefix = trimmed.startsWith(`${store.uri}/`) ? trimmed.slice(store.uri.length + 1) : localPrefix(store, trimmed)
  if (prefix !== null && /^[^/]+\/[^/]+$/.test(prefix) && !prefix.startsWith('..')) return prefix
  throw new LockstepError({
    code: 'CONFIG_INVALID',
    message: `"${uri}" is not a snapshot in ${store.uri}: expected ${store.uri}/<database>/<time>-<run>.`,
    state: UNTOUCHED,
    remedy: 'Take the uri from "snapshots", or configure the store that the snapshot is in.',
  })
}

function localPrefix(store: Pick<SnapshotStore, 'uri'>, location: string): string | null {
  if (!store.uri.startsWith('file:')) return null
  try {
    const path = location.startsWith('file:') ? fileURLToPath(location) : resolve(location)
    const inside = relative(fileURLToPath(store.uri), path)
    return isAbsolute(inside) ? null : inside.split(sep).join('/')
  } catch {
    // A malformed URL is simply not a snapshot of this store.
    return null
  }
}
