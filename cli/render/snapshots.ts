import type { RestoreResult, SnapshotListing, SnapshotResult } from '../../lambda/contract.ts'
import type { StorageSnapshotListing, StorageSnapshotResult } from '../../lambda/storage-snapshots.ts'
import type { Style } from './style.ts'
import { renderFacts, renderTable } from './table.ts'
import { count, formatBytes, formatDuration, formatTime } from './units.ts'

/** The snapshot that was taken. */
export function renderSnapshot(snapshot: SnapshotResult | StorageSnapshotResult, style: Style): string {
  return [
    style.good(
      `Snapshot of "${snapshot.database}" taken in ${formatDuration(snapshot.durationMs)}: ${sizeOf(snapshot)}.`,
    ),
    snapshot.uri,
  ].join('\n')
}

function sizeOf(snapshot: SnapshotResult | StorageSnapshotResult): string {
  if (snapshot.bytes === null) return 'the whole storage'
  const omitted = snapshot.omittedTables === 0 ? '' : ` (${count(snapshot.omittedTables, 'other')} without rows)`
  return `${count(snapshot.tables, 'table')}${omitted}, ${count(snapshot.rows, 'row')}, ${formatBytes(snapshot.bytes)}`
}

/** The snapshots of a store. */
export function renderSnapshots(
  snapshots: readonly (SnapshotListing | StorageSnapshotListing)[],
  style: Style,
): string {
  if (snapshots.length === 0) return 'There are no snapshots.'
  return renderTable(
    [
      { title: 'TAKEN (UTC)' },
      { title: 'DATABASE' },
      { title: 'TABLES', align: 'right' },
      { title: 'ROWS', align: 'right' },
      { title: 'SIZE', align: 'right' },
      { title: 'URI' },
    ],
    snapshots.map((snapshot) => [
      formatTime(snapshot.createdAt),
      snapshot.database,
      tablesOf(snapshot),
      snapshot.rows === null ? '' : snapshot.rows.toLocaleString('en-US'),
      snapshot.bytes === null ? '' : formatBytes(snapshot.bytes),
      snapshot.uri,
    ]),
    style,
  )
}

function tablesOf(snapshot: SnapshotListing | StorageSnapshotListing): string {
  if (snapshot.tables === null) return ''
  const { tables, omittedTables } = snapshot
  return omittedTables === 0 ? String(tables) : `${tables} of ${tables + omittedTables}`
}

/** Where the snapshot's content is now, and where the replaced database went. */
export function renderRestore(restore: RestoreResult, style: Style): string {
  const what = `${count(restore.tables, 'table')}, ${count(restore.rows, 'row')}`
  const done = style.good(`Restored "${restore.database}" in ${formatDuration(restore.durationMs)}: ${what}.`)
  return restore.replaced === null
    ? done
    : `${done}\n${renderFacts([['Replaced database', `kept as "${restore.replaced}"`]], style)}`
}
