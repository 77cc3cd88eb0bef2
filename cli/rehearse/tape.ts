import type { Catalog, Probe } from '../lint/catalog.ts'
import { beforeOf, type Before } from '../lint/difference.ts'
import type { RecordedStatement } from './recorder.ts'

/** A recording that goes on. */
export interface Tape {
  readonly before: Before
  catalog: Catalog
  /** Of the open transaction; null before its first statement. */
  last: Probe | null
  transaction: number
  /** How long has been spent on watching. Milliseconds. */
  hiddenMs: number
  readonly statements: RecordedStatement[]
  /** When transactions ended. */
  readonly ends: Map<number, number>
}

/** An empty one, of a database with this catalog. */
export function tapeOf(catalog: Catalog): Tape {
  return {
    before: beforeOf(catalog),
    catalog,
    last: null,
    transaction: 0,
    hiddenMs: 0,
    statements: [],
    ends: new Map(),
  }
}
