import { fileURLToPath } from 'node:url'
import { LockstepError, messageOf, UNTOUCHED } from '../errors.ts'

/** Where a snapshot store is, as a person writes it. */
export type StoreLocation =
  | { readonly kind: 'directory'; readonly directory: string }
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string }

/**
 * Reads `s3://bucket/prefix`, a `file://` URL or a directory.
 *
 * @throws LockstepError `CONFIG_INVALID`.
 */
export function parseStoreLocation(location: string): StoreLocation {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(location)?.[1]?.toLowerCase()
  if (scheme === undefined && location.trim() !== '') return { kind: 'directory', directory: location }
  if (scheme === 'file') return { kind: 'directory', directory: pathOf(location) }
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/i.exec(location) ?? []
  if (bucket === undefined) throw invalid(location, 'expected s3://bucket/prefix, a file:// URL or a directory')
  return { kind: 's3', bucket, prefix: prefix.replaceAll(/^\/+|\/+$/g, '') }
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url)
  } catch (error) {
    throw invalid(url, messageOf(error))
  }
}

function invalid(location: string, reason: string): LockstepError {
  return new LockstepError({
    code: 'CONFIG_INVALID',
    message: `"${location}" is not a place for snapshots: ${reason}.`,
    state: UNTOUCHED,
    remedy: 'Give s3://bucket/prefix, or a directory.',
  })
}
