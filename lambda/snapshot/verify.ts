import type { SnapshotProblem, VerifyResult } from '../snapshot-contract.ts'
import { messageOf } from '../errors.ts'
import { toLockstepError } from './failure.ts'
import { inParallel } from './in-parallel.ts'
import { MANIFEST_KEY, type SnapshotManifest } from './manifest.ts'
import { createProgress } from './progress.ts'
import { readManifest, type RestoreSource } from './restore-source.ts'
import { planTasks, type RestoreTask } from './restore-tasks.ts'
import { DEFAULT_WORKERS } from './default-workers.ts'
import type { SnapshotContext } from './snapshot.ts'
import { prefixOf } from './snapshot-uri.ts'
import { checkObject } from './verify-object.ts'
import { problemsOfTotals } from './verify-totals.ts'

/**
 * Reads a snapshot again from beginning to end: sizes, checksums, compression, the rows of every part, and whether the
 * manifest's totals add up. Needs no database. What is wrong is the result, all of it at once.
 *
 * @throws LockstepError `CONFIG_INVALID` for a uri outside the store, `SNAPSHOT_FAILED` when it is aborted.
 */
export async function verifySnapshot(
  context: Pick<SnapshotContext, 'store' | 'log' | 'workers' | 'signal'>,
  uri: string,
): Promise<VerifyResult> {
  const started = performance.now()
  const prefix = prefixOf(context.store, uri)
  const manifest = await manifestOrProblem(context, prefix)
  const problems = 'problem' in manifest ? [manifest.problem] : await checkAll(context, { prefix, manifest })
  if (context.signal?.aborted === true) throw aborted(context, prefix)
  const found = 'problem' in manifest ? null : manifest
  return {
    uri: `${context.store.uri}/${prefix}`,
    status: problems.length === 0 ? 'intact' : 'damaged',
    database: found?.database.name ?? null,
    objects: found?.objects.length ?? 0,
    bytes: found?.bytes ?? 0,
    tables: found?.tables.length ?? 0,
    rows: found?.rows ?? 0,
    problems,
    durationMs: Math.round(performance.now() - started),
  }
}

type Context = Parameters<typeof verifySnapshot>[0]

async function manifestOrProblem(
  { store }: Context,
  prefix: string,
): Promise<SnapshotManifest | { readonly problem: SnapshotProblem }> {
  try {
    return await readManifest(store, prefix)
  } catch (error) {
    return { problem: { object: MANIFEST_KEY, message: messageOf(error) } }
  }
}

async function checkAll(
  { store, log, signal, workers = DEFAULT_WORKERS }: Context,
  { prefix, manifest }: Pick<RestoreSource, 'prefix' | 'manifest'>,
): Promise<readonly SnapshotProblem[]> {
  const progress = createProgress(log, 'Verifying the snapshot', manifest.tables.length, manifest.bytes)
  const problems = [...problemsOfTotals(manifest)]
  const readers = Array.from({ length: workers }, (_, index) => index)
  await inParallel(
    readers,
    objectTasks(manifest),
    async (_reader, task) => {
      if (signal?.aborted === true) return
      problems.push(...(await checkObject({ store, prefix, signal, onBytes: progress.addBytes }, task)))
      progress.addRows(task.entries.reduce((total, { part }) => total + part.rows, 0))
    },
    () => {},
  )
  return problems.toSorted((a, b) => (a.object < b.object ? -1 : 1))
}

/** Every object that the manifest lists, the largest first, with the rows that should be in it. */
function objectTasks(manifest: SnapshotManifest): readonly RestoreTask[] {
  const listed = new Set(manifest.objects.map(({ key }) => key))
  const tables = manifest.tables.map((table) => ({ ...table, parts: table.parts.filter(({ key }) => listed.has(key)) }))
  const filled = planTasks(manifest, tables)
  const known = new Set(filled.map(({ object }) => object.key))
  const others = manifest.objects.filter(({ key }) => !known.has(key))
  return [...filled, ...others.map((object) => ({ object, entries: [] }))]
}

function aborted({ store, signal }: Context, prefix: string): Error {
  return toLockstepError(signal?.reason, {
    code: 'SNAPSHOT_FAILED',
    subject: `Verifying ${store.uri}/${prefix}`,
    state: 'Nothing has been changed.',
    signal,
  })
}
