import type { SnapshotListing, SnapshotResult } from '../../lambda/contract.ts'
import type { IncompleteSnapshot, RestoreResult, VerifyResult } from '../../lambda/snapshot-contract.ts'
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
  incomplete: readonly IncompleteSnapshot[],
  style: Style,
): string {
  const complete = snapshots.length === 0 ? 'There are no snapshots.' : renderListings(snapshots, style)
  if (incomplete.length === 0) return complete
  const others = incomplete.map(({ uri, objects }) => `  ${uri} (${count(objects, 'object')})`)
  const title = `${count(incomplete.length, 'snapshot')} being taken or cut off (removed by a snapshot after a day):`
  return [complete, '', style.attention(title), ...others].join('\n')
}

function renderListings(snapshots: readonly (SnapshotListing | StorageSnapshotListing)[], style: Style): string {
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

/** Where the snapshot's content is now, where the replaced database went, and what is not as it was. */
export function renderRestore(restore: RestoreResult, style: Style): string {
  const { database, tables, rows, replaced, copies = [], warnings, durationMs } = restore
  const what = `${count(tables, 'table')}, ${count(rows, 'row')}`
  const where = copies.length === 0 ? `"${database}"` : `tables beside the originals in "${database}"`
  const facts: (readonly [string, string])[] = [
    ...copies.map((copy) => [copy.table, `${copy.restoredAs}, ${count(copy.rows, 'row')}`] as const),
    ...(replaced === null ? [] : ([['Replaced database', `kept as "${replaced}"`]] as const)),
  ]
  return [
    style.good(`Restored ${where} in ${formatDuration(durationMs)}: ${what}.`),
    ...(facts.length === 0 ? [] : [renderFacts(facts, style)]),
    ...warnings.map((warning) => style.attention(`! ${warning}`)),
  ].join('\n')
}

/** Whether the snapshot is as it was taken, or everything that is wrong with it. */
export function renderVerify(verified: VerifyResult, style: Style): string {
  const { uri, objects, bytes, tables, rows, problems, durationMs } = verified
  if (verified.status === 'intact') {
    const what = `${count(objects, 'object')}, ${count(tables, 'table')}, ${count(rows, 'row')}, ${formatBytes(bytes)}`
    return style.good(`${uri} is intact: ${what}, read in ${formatDuration(durationMs)}.`)
  }
  return [
    style.bad(`✗ ${uri} is damaged (${count(problems.length, 'problem')}):`),
    ...problems.map(({ object, message }) => `  ${object}: ${message}`),
  ].join('\n')
}
