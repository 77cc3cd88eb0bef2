import type pg from 'pg'
import { DISTRIBUTED_WORKERS } from '../../snapshot-settings.ts'
import { keyOf, tablesOf } from '../copy-workers.ts'
import { MANIFEST_KEY, parseManifest, type SnapshotManifest, type SnapshotObject } from '../manifest.ts'
import type { SnapshotSelection } from '../scope.ts'
import type { OpenSession } from '../session.ts'
import type { SnapshotContext } from '../snapshot.ts'
import type { SnapshotStore } from '../store.ts'
import { beginSnapshot, finishSnapshot, type SnapshotDraft } from '../take-snapshot.ts'
import { describeData, type Contents } from '../write-data.ts'
import { writeSchema } from '../write-schema.ts'
import { isThere, readJson, workKeys, writeJson, type WorkList, type WorkResult } from './work-list.ts'

/** A snapshot of which only the rows are missing; kept beside the work list, for the invocation that finishes it. */
interface StoredDraft {
  readonly draft: SnapshotDraft & { readonly schema: readonly SnapshotObject[] }
  readonly contents: Contents
  readonly tableBytes: number
  readonly runId: string
  readonly createdAt: string
  readonly selection: SnapshotSelection
}

interface DraftJob {
  readonly open: OpenSession
  readonly cut: (reason: unknown) => void
  readonly client: pg.Client
  readonly prefix: string
  readonly runId: string
  readonly createdAt: Date
  readonly selection: SnapshotSelection
}

/** Fixes the view, writes everything but the rows, and the list of what is to be copied. Gives the view's id. */
export async function writeDraft({ store, log }: SnapshotContext, job: DraftJob): Promise<string> {
  const { prefix, runId, createdAt, selection } = job
  const snapshot = { ...job, store, log, workers: DISTRIBUTED_WORKERS, onOutlook: () => {} }
  const { draft, snapshotId, plan } = await beginSnapshot(snapshot)
  const schema = await writeSchema(snapshot)
  const items = plan.tasks.map((task, index) => ({ task, key: keyOf(index, task) }))
  const named = new Map(
    plan.tasks.flatMap(tablesOf).map(({ schema, name }) => [JSON.stringify([schema, name]), { schema, name }]),
  )
  const list: WorkList = { version: 1, encoding: draft.database.encoding, tables: [...named.values()], items }
  const stored: StoredDraft = {
    draft: { ...draft, schema },
    contents: { chosen: plan.chosen, roles: plan.largeObjects.roles },
    tableBytes: plan.tableBytes,
    runId,
    createdAt: createdAt.toISOString(),
    selection,
  }
  const keys = workKeys(prefix)
  await writeJson(store, keys.draft, stored)
  await writeJson(store, keys.numbers, Array.from(items.keys()))
  await writeJson(store, keys.list, list)
  return snapshotId
}

/** Writes the manifest of a copy that has ended, or reads that of one that was finished before. */
export async function finishDraft(store: SnapshotStore, prefix: string, now: Date): Promise<SnapshotManifest> {
  const keys = workKeys(prefix)
  const manifestKey = `${prefix}/${MANIFEST_KEY}`
  if (await isThere(store, manifestKey)) {
    return parseManifest(Buffer.concat(await (await store.read(manifestKey)).toArray()).toString('utf8'))
  }
  const { draft, contents, tableBytes, runId, createdAt, selection } = await readJson<StoredDraft>(store, keys.draft)
  const { items } = await readJson<WorkList>(store, keys.list)
  const results = await Promise.all(items.map((_, item) => readJson<WorkResult>(store, keys.result(item))))
  const tables = new Map(contents.chosen.map(({ table }) => [table.oid, table]))
  const copied = results.map(({ object, parts, largeObjects }) => ({
    object,
    largeObjects,
    parts: parts.flatMap(({ oid, part }) => {
      const table = tables.get(oid)
      return table === undefined ? [] : [{ table, part }]
    }),
  }))
  const job = { store, prefix, runId, selection, createdAt: new Date(createdAt) }
  const speed = { tableBytes, durationMs: now.getTime() - job.createdAt.getTime(), workers: DISTRIBUTED_WORKERS }
  return finishSnapshot(job, draft, describeData(contents, copied, speed))
}
