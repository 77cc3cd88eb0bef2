import type pg from 'pg'
import type { Log } from '../log.ts'
import { qualified } from './catalog.ts'
import { copyTableIn } from './copy-in.ts'
import { Fault } from './fault.ts'
import { fillLargeObjects, verifyLargeObjects } from './large-object-restore.ts'
import type { SnapshotManifest, SnapshotObject, SnapshotTable } from './manifest.ts'
import { readText } from './object-transfer.ts'
import { createProgress } from './progress.ts'
import { prepareSession } from './session.ts'
import { runScript } from './sql-script.ts'
import type { SnapshotStore } from './store.ts'

export interface RestoreSource {
  readonly store: SnapshotStore
  readonly prefix: string
  readonly manifest: SnapshotManifest
}

/** Fills a new, empty database with the snapshot and verifies it. */
export async function restoreContent(client: pg.Client, source: RestoreSource, log: Log): Promise<void> {
  // Nothing is lost when the server stops in between: the database counts only once it has been renamed.
  await prepareSession(client, { synchronous_commit: 'off' })
  await restoreScript(client, source, 'pre-data.sql')
  // Its header sets what pg_dump wants set; the rows want more.
  await prepareSession(client)
  await restoreRows(client, source, log)
  for (const { key } of source.manifest.largeObjects?.parts ?? []) {
    await fillLargeObjects(client, source, objectOf(source.manifest, key))
  }
  await restoreScript(client, source, 'sequences.sql')
  await restoreScript(client, source, 'post-data.sql')
  await client.query('ANALYZE')
  await verifyRows(client, source.manifest.tables)
  await verifyLargeObjects(client, source.manifest.largeObjects, log)
}

async function restoreScript(client: pg.Client, source: RestoreSource, key: string): Promise<void> {
  await runScript(client, key, await readText(source.store, source.prefix, objectOf(source.manifest, key)))
}

async function restoreRows(client: pg.Client, source: RestoreSource, log: Log): Promise<void> {
  const { store, prefix, manifest } = source
  const progress = createProgress(log, 'Copying tables from the snapshot', manifest.tables.length)
  const target = { store, prefix, encoding: manifest.database.encoding }
  for (const table of manifest.tables) {
    let rows = 0
    for (const part of table.parts) {
      const object = objectOf(manifest, part.key)
      rows += await copyTableIn(client, target, table, object, part.slice)
      progress.addBytes(object.bytes)
    }
    if (rows !== table.rows) throw wrongRows(table, rows)
    progress.finishTable(rows)
  }
}

async function verifyRows(client: pg.Client, tables: readonly SnapshotTable[]): Promise<void> {
  for (const table of tables) {
    // The extension's own rows stand beside the restored ones.
    if (table.filter !== null) continue
    const result = await client.query<{ rows: string }>(
      `SELECT pg_catalog.count(*) AS rows FROM ONLY ${qualified(table)}`,
    )
    const rows = Number(result.rows[0]?.rows)
    if (rows !== table.rows) throw wrongRows(table, rows)
  }
}

function wrongRows(table: SnapshotTable, rows: number): Fault {
  return new Fault(
    `table ${table.schema}.${table.name} holds ${rows} rows after the restore instead of ${table.rows}.`,
    'Restore another snapshot ("snapshots" lists them).',
  )
}

function objectOf(manifest: SnapshotManifest, key: string): SnapshotObject {
  const object = manifest.objects.find((candidate) => candidate.key === key)
  if (object !== undefined) return object
  throw new Fault(`the manifest lists no object ${key}.`, 'Restore another snapshot ("snapshots" lists them).')
}
