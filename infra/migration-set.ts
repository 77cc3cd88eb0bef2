import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { MigrationManifest } from '../lambda/manifest.ts'
import { readAnalysis, type Analysis } from '../lambda/engine/policy/analysis.ts'
import { readMigrationDirectory } from '../lambda/engine/migration/migration-directory.ts'
import { buildGraph, type Node } from '../lambda/engine/plan/migration-graph.ts'
import type { Migration } from '../lambda/engine/migration/migration.ts'
import { LockstepError, UNTOUCHED } from '../lambda/errors.ts'

/** A directory of migrations, read and found in order at synth. */
export interface MigrationSet {
  readonly directory: string
  /** Parents first. */
  readonly ordered: readonly Node[]
  /** Files of `repeatable/`. */
  readonly repeatables: readonly Migration[]
  readonly manifest: MigrationManifest
  /** Changes exactly when a migration, its place or its text does; not with line endings. */
  readonly digest: string
  /** The last migration. */
  readonly head: string
}

/**
 * Reads the migrations that a deployment brings.
 *
 * @throws LockstepError `CONFIG_INVALID` for a directory that is missing or empty, `MIGRATION_INVALID` for a file,
 * `MULTIPLE_HEADS` for branches that were not merged.
 */
export function readMigrationSet(path: string): MigrationSet {
  const directory = resolve(path)
  const { ordered, heads, repeatables } = buildGraph(readMigrationDirectory(directory))
  const [head] = heads
  if (head === undefined) throw emptyDirectory(directory)
  if (heads.length > 1) throw multipleHeads(heads)
  const manifest = manifestOf(
    [...ordered, ...repeatables.map((migration) => ({ migration, parents: [] }))],
    readAnalysis(directory),
  )
  const identity = manifest.migrations.map(({ id, checksum, parents }) => [id, checksum, parents])
  return { directory, ordered, repeatables, manifest, digest: digestOf(identity), head }
}

/** sha256, hex, over the JSON form of `value`. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value), 'utf8').digest('hex')
}

function manifestOf(ordered: readonly Node[], analysis: Analysis): MigrationManifest {
  return {
    version: 1,
    migrations: ordered.map(({ migration: { id, kind, checksum, file }, parents }) => ({
      id,
      kind,
      checksum,
      parents,
      file,
      ...(kind === 'ts' ? { module: `${id}.mjs` } : {}),
      ...(analysis[id]?.checksum === checksum ? { analysis: analysis[id] } : {}),
    })),
  }
}

function emptyDirectory(directory: string): LockstepError {
  return new LockstepError({
    code: 'CONFIG_INVALID',
    message: `The migrations directory "${directory}" holds no migration.`,
    state: UNTOUCHED,
    remedy: 'Give the directory that holds the .sql and .ts migration files.',
  })
}

function multipleHeads(heads: readonly string[]): LockstepError {
  return new LockstepError({
    code: 'MULTIPLE_HEADS',
    message: `Nothing comes after ${heads.map((id) => `"${id}"`).join(' nor ')}: the set has ${heads.length} heads.`,
    state: UNTOUCHED,
    remedy: 'Put one after the other with "-- lockstep:after", or add a migration that comes after all of them.',
  })
}
