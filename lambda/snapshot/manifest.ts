import { createHash } from 'node:crypto'
import type { DatabaseProperties } from './database-properties.ts'
import { Fault } from './fault.ts'
import type { SnapshotScope } from './scope.ts'

export const MANIFEST_KEY = 'manifest.json'
export const MANIFEST_VERSION = 2

/** Says what a snapshot holds and how to restore it. Written last: without it there is no snapshot. */
export interface SnapshotManifest {
  readonly version: typeof MANIFEST_VERSION
  readonly runId: string
  /** ISO 8601, UTC. */
  readonly createdAt: string
  readonly server: { readonly version: string; readonly versionNumber: number }
  readonly database: DatabaseProperties
  /** Whose rows it holds. The structure is always that of the whole database. */
  readonly scope: SnapshotScope
  /** Patterns of tables whose rows were left out. */
  readonly exclude: readonly string[]
  /** What of scope and exclusions fitted no table. */
  readonly unmatched: readonly string[]
  /** How fast its rows were copied: what the next estimate goes by. */
  readonly copied: {
    /** What was read, on the server's disk. */
    readonly tableBytes: number
    readonly durationMs: number
    readonly workers: number
  }
  /** Of all objects, as stored. */
  readonly bytes: number
  readonly rows: number
  readonly tables: readonly SnapshotTable[]
  /** Whatever the scope: they belong to no schema. Null: there are none. */
  readonly largeObjects: SnapshotLargeObjects | null
  readonly objects: readonly SnapshotObject[]
  /** Shell commands that restore the snapshot by hand with psql and zstd, from within its folder. */
  readonly restore: readonly string[]
}

export interface SnapshotTable {
  readonly schema: string
  readonly name: string
  readonly columns: readonly string[]
  /** Only rows that meet this are in the snapshot: an extension makes the others. */
  readonly filter: string | null
  /** Why its rows are not in the snapshot; null: they are. */
  readonly omitted: 'scope' | 'excluded' | null
  /** In the snapshot, over all parts. */
  readonly rows: number
  /** Where the rows are. Parts can be read in any order, at the same time. */
  readonly parts: readonly SnapshotPart[]
}

/** A range of a table's rows. */
export interface SnapshotPart {
  /** Of the object. */
  readonly key: string
  readonly rows: number
  /** Where the rows lie in the decompressed object, which other tables share; null: they are all of it. Bytes. */
  readonly slice: { readonly start: number; readonly bytes: number } | null
}

/** The entries of pg_largeobject, with owner, permissions and comment. */
export interface SnapshotLargeObjects {
  readonly count: number
  /** Their length, holes included. */
  readonly bytes: number
  /** That own one, or may do something with one. */
  readonly roles: readonly string[]
  /** Scripts with one statement a line. They can be run in any order, at the same time. */
  readonly parts: readonly { readonly key: string; readonly count: number; readonly bytes: number }[]
}

export interface SnapshotObject {
  /** Relative to the manifest. */
  readonly key: string
  /** As stored. */
  readonly bytes: number
  /** Of the stored bytes, in hexadecimal. */
  readonly sha256: string
}

/** The manifest's text. It carries its own checksum, so that a change to it is noticed as one to an object is. */
export function formatManifest(manifest: SnapshotManifest): string {
  return `${JSON.stringify({ ...manifest, sha256: checksum(manifest) }, null, 2)}\n`
}

/** @throws Fault when the text is damaged, or of a version that this code does not read. */
export function parseManifest(text: string): SnapshotManifest {
  const { sha256, ...manifest } = parseObject(text)
  if (typeof manifest['version'] === 'number' && manifest['version'] > MANIFEST_VERSION) {
    throw new Fault(
      `${MANIFEST_KEY} has version ${manifest['version']}; this Lockstep reads version ${MANIFEST_VERSION}.`,
      'Restore it with the version of Lockstep that made it, or by the commands in the manifest.',
    )
  }
  if (sha256 !== checksum(manifest)) throw damaged('does not match its own checksum')
  // What matches the checksum was written by formatManifest.
  return manifest as unknown as SnapshotManifest
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed }
  } catch (error) {
    throw damaged('is not JSON', error)
  }
  throw damaged('is not a JSON object')
}

function damaged(what: string, cause?: unknown): Fault {
  return new Fault(
    `${MANIFEST_KEY} ${what}: the snapshot is damaged.`,
    'Restore another snapshot ("snapshots" lists them), or an earlier version of the object if the bucket keeps them.',
    cause,
  )
}

function checksum(manifest: object): string {
  return createHash('sha256').update(JSON.stringify(manifest)).digest('hex')
}
