import type { RestoreResult, SnapshotListing, SnapshotResult } from '../../lambda/contract.ts'
import type { Style } from './style.ts'
import { renderFacts, renderTable } from './table.ts'
import { count, formatBytes, formatDuration, formatTime } from './units.ts'

/** The snapshot that was taken. */
export function renderSnapshot(snapshot: SnapshotResult, style: Style): string {
  const omitted = snapshot.omittedTables === 0 ? '' : ` (${count(snapshot.omittedTables, 'other')} without rows)`
  const what = `${count(snapshot.tables, 'table')}${omitted}, ${count(snapshot.rows, 'row')}, ${formatBytes(snapshot.bytes)}`
  return [
    style.good(`Snapshot of "${snapshot.database}" taken in ${formatDuration(snapshot.durationMs)}: ${what}.`),
    snapshot.uri,
  ].join('\n')
}

/** The snapshots of a store. */
export function renderSnapshots(snapshots: readonly SnapshotListing[], style: Style): string {
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
      snapshot.omittedTables === 0 ? String(snapshot.tables) : `${snapshot.tables} of ${tablesIn(snapshot)}`,
      snapshot.rows.toLocaleString('en-US'),
      formatBytes(snapshot.bytes),
      snapshot.uri,
    ]),
    style,
  )
}

function tablesIn({ tables, omittedTables }: SnapshotListing): number {
  return tables + omittedTables
}

/** Where the snapshot's content is now, and where the replaced database went. */
export function renderRestore(restore: RestoreResult, style: Style): string {
  const what = `${count(restore.tables, 'table')}, ${count(restore.rows, 'row')}`
  const done = style.good(`Restored "${restore.database}" in ${formatDuration(restore.durationMs)}: ${what}.`)
  return restore.replaced === null
    ? done
    : `${done}\n${renderFacts([['Replaced database', `kept as "${restore.replaced}"`]], style)}`
}
