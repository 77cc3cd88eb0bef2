import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pathToFileURL } from 'node:url'
import { messageOf } from '../errors.ts'
import { Fault, MissingObjectFault } from '../snapshot/fault.ts'
import type { SnapshotStore } from '../snapshot/store.ts'

const TEMPORARY = '.incomplete-'
/** Nobody writes a file for longer: whoever did was killed. Milliseconds. */
const ABANDONED_MS = 24 * 3_600_000

/** Keeps snapshots as files under a directory, which is made on the first write. Only the owner can read them. */
export function createDirectoryStore(directory: string): SnapshotStore {
  const root = resolve(directory)
  return {
    uri: pathToFileURL(root).href.replace(/\/$/, ''),
    write: async (key, body) => writeFile(pathOf(root, key), body),
    read: async (key) => readFile(pathOf(root, key), key),
    list: async (prefix) => listFiles(root, prefix),
    remove: async (keys) => {
      for (const key of keys) await removeFile(root, pathOf(root, key))
    },
  }
}

/** @throws Fault when the key would lead out of the directory. */
function pathOf(root: string, key: string): string {
  const segments = key.split('/')
  const refused = segments.some((segment) => ['', '.', '..'].includes(segment)) || /[\\\0]/.test(key)
  if (!refused) return join(root, ...segments)
  throw new Fault(`"${key}" is not a key of a snapshot store.`, 'Use keys that are relative, with "/" between names.')
}

async function writeFile(path: string, body: Readable): Promise<{ readonly bytes: number }> {
  const temporary = join(dirname(path), `${TEMPORARY}${randomUUID()}`)
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    // `flush`: a file must not be renamed into place before its content is on the disk.
    await pipeline(body, createWriteStream(temporary, { flush: true, mode: 0o600 }))
    const { size } = await stat(temporary)
    await rename(temporary, path)
    await flushDirectory(dirname(path))
    return { bytes: size }
  } catch (error) {
    // A body that was never read would keep its source waiting.
    body.destroy()
    await rm(temporary, { force: true }).catch(() => {})
    throw UNWRITABLE.has(codeOf(error)) ? unwritable(path, error) : error
  }
}

/** Puts the new name on the disk, too. Not every system opens directories. */
async function flushDirectory(path: string): Promise<void> {
  const handle = await open(path).catch(() => null)
  await handle?.sync().catch(() => {})
  await handle?.close()
}

// Only the file system gives these; others may be the body's, such as the reset of a database's connection.
const UNWRITABLE = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'ENOTDIR', 'EEXIST'])

function unwritable(path: string, error: unknown): Fault {
  return new Fault(
    `cannot write to ${dirname(path)}: ${messageOf(error)}`,
    'Check that the snapshot directory exists or can be made, is writable, and has space left.',
    error,
  )
}

async function readFile(path: string, key: string): Promise<Readable> {
  try {
    const handle = await open(path)
    return createReadStream(path, { fd: handle })
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    throw new MissingObjectFault(`${key} does not exist.`, 'Check the path, or use another snapshot.', error)
  }
}

async function listFiles(root: string, prefix: string): Promise<readonly string[]> {
  // Only the folder that the prefix names need be read.
  const folder = prefix.includes('/') ? pathOf(root, prefix.slice(0, prefix.lastIndexOf('/'))) : root
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    const listed = await Promise.all(paths.map(async (path) => !isTemporary(path) || (await isAbandoned(path))))
    return paths
      .filter((_, index) => listed[index])
      .map((path) => relative(root, path).split(sep).join('/'))
      .filter((key) => key.startsWith(prefix))
      .toSorted()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

function isTemporary(path: string): boolean {
  return basename(path).startsWith(TEMPORARY)
}

/** It is listed then, so that whoever tidies up after a snapshot that was cut off removes it as well. */
async function isAbandoned(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  return found !== null && Date.now() - found.mtimeMs > ABANDONED_MS
}

async function removeFile(root: string, path: string): Promise<void> {
  await rm(path, { force: true })
  for (let folder = dirname(path); folder !== root && folder.startsWith(root); folder = dirname(folder)) {
    try {
      await rmdir(folder)
    } catch {
      // Not empty, or gone already: nothing above it is empty either, or somebody else tidies up.
      return
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
