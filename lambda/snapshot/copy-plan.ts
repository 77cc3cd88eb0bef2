import type { CatalogTable, TableSize } from './catalog.ts'
import type { LargeObjectRange } from './large-objects.ts'

export type SizedTable = CatalogTable & TableSize

/** Rows whose heap pages lie from `from` up to, but without, `to`; null: up to the end, however far that is by then. */
export interface PageRange {
  readonly from: number
  readonly to: number | null
}

/** One piece of work: an object of the snapshot. */
export type CopyTask =
  | {
      readonly kind: 'table'
      readonly table: CatalogTable
      /** Null: the whole table. */
      readonly range: PageRange | null
      /** Of how many objects with the table's rows this is the which, from 0. */
      readonly part: { readonly index: number; readonly of: number }
      /** On the server's disk, roughly. */
      readonly bytes: number
    }
  | { readonly kind: 'pack'; readonly tables: readonly CatalogTable[]; readonly bytes: number }
  | { readonly kind: 'large-objects'; readonly range: LargeObjectRange; readonly bytes: number }

/** Tables up to this size share an object: an object costs a store more than rows do. */
const SMALL_TABLE_BYTES = 4 * 1024 * 1024
/** A pack is read from its start to find a table in it. */
const MAX_PACK_BYTES = 16 * 1024 * 1024
/** Below it, sharing the work is not worth another object. */
const MIN_PACK_BYTES = 1024 * 1024
/** One statement copies a pack, one more locks it. */
const MAX_PACK_TABLES = 500
/** What a table costs beside its bytes: a statement, a lock, a snapshot's entry. */
const TABLE_BYTES = 16 * 1024
/** A range below this is not worth a statement and an object of its own. */
const MIN_RANGE_BYTES = 32 * 1024 * 1024
/** Beyond it, a failed object costs too much, and S3 takes no object of more than 10,000 parts. */
const MAX_RANGE_BYTES = 4 * 1024 * 1024 * 1024
/** So many ranges for each worker, that the last ones end at about the same time. */
const RANGES_PER_WORKER = 4

/**
 * Cuts the tables into tasks, the largest first: whoever is free takes the next one. Large tables are cut into ranges
 * of heap pages, also those whose few pages point to many values out of line (TOAST); small ones are packed together.
 * Tables in which there never was a row have no task.
 */
export function planCopies(
  tables: readonly SizedTable[],
  workers: number,
  largeObjects: readonly LargeObjectRange[] = [],
): readonly CopyTask[] {
  const filled = tables.filter((table) => !isEmpty(table))
  const total = filled.reduce((sum, table) => sum + table.bytes, 0)
  const rangeBytes = Math.min(MAX_RANGE_BYTES, Math.max(MIN_RANGE_BYTES, total / (workers * RANGES_PER_WORKER)))
  const large = filled.filter((table) => !isSmall(table))
  const small = filled.filter(isSmall)
  const tasks = [
    ...large.flatMap((table) => cut(table, rangeBytes)),
    ...pack(small, workers),
    ...largeObjects.map((range) => ({ kind: 'large-objects' as const, range, bytes: range.bytes })),
  ]
  return tasks.toSorted((a, b) => b.bytes - a.bytes)
}

/** The view was fixed before the size was read, and no row of the view leaves the disk while it is open. */
function isEmpty(table: SizedTable): boolean {
  return table.isHeap && table.pages === 0
}

/** Of other access methods the size is not known for sure. */
function isSmall(table: SizedTable): boolean {
  return table.isHeap && table.bytes <= SMALL_TABLE_BYTES
}

function cut(table: SizedTable, rangeBytes: number): readonly CopyTask[] {
  const canCut = table.isHeap && table.filter === null && table.columns.length > 0
  const of = canCut ? Math.max(1, Math.min(table.pages, Math.round(table.bytes / rangeBytes))) : 1
  return Array.from({ length: of }, (_, index) => ({
    kind: 'table',
    table,
    range: of === 1 ? null : rangeOf(table.pages, index, of),
    part: { index, of },
    bytes: table.bytes / of,
  }))
}

function rangeOf(pages: number, index: number, of: number): PageRange {
  const boundary = (at: number): number => Math.floor((pages * at) / of)
  return { from: boundary(index), to: index + 1 === of ? null : boundary(index + 1) }
}

/** As many packs as workers can share, and as few as their size allows. */
function pack(tables: readonly SizedTable[], workers: number): readonly CopyTask[] {
  const weight = tables.reduce((sum, table) => sum + weigh(table), 0)
  const share = Math.min(MAX_PACK_BYTES, Math.max(MIN_PACK_BYTES, weight / workers))
  const packs: SizedTable[][] = []
  let room = 0
  for (const table of tables) {
    const last = packs.at(-1)
    if (last === undefined || room < weigh(table) || last.length === MAX_PACK_TABLES) {
      packs.push([table])
      room = share - weigh(table)
    } else {
      last.push(table)
      room -= weigh(table)
    }
  }
  return packs.map((tables) => ({ kind: 'pack', tables, bytes: tables.reduce((sum, table) => sum + weigh(table), 0) }))
}

function weigh(table: SizedTable): number {
  return table.bytes + TABLE_BYTES
}
