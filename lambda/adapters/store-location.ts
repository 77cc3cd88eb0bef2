import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LockstepError, messageOf, UNTOUCHED } from '../errors.ts'

export type StoreLocation =
  | { readonly kind: 'directory'; readonly directory: string }
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string }

/** Where snapshots are kept: `s3://bucket/prefix`, `file:///directory` or a path. @throws LockstepError `CONFIG_INVALID`. */
export function parseStoreLocation(location: string): StoreLocation {
  if (!/^[a-z0-9]+:\/\//i.test(location)) return { kind: 'directory', directory: resolve(location) }
  const s3 = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*?))?\/?$/.exec(location)
  if (s3) return { kind: 's3', bucket: s3[1] ?? '', prefix: s3[2] ?? '' }
  try {
    return { kind: 'directory', directory: fileURLToPath(location) }
  } catch (error) {
    throw new LockstepError({
      code: 'CONFIG_INVALID',
      message: `"${location}" is no place for snapshots: ${messageOf(error)}.`,
      state: UNTOUCHED,
      remedy: 'Give a directory, file:///absolute/directory or s3://bucket/prefix.',
    })
  }
}
