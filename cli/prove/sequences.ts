import { quoteIdentifier, type Connection } from '../../lambda/engine/database.ts'
import type { CatalogState } from '../catalog/read-catalog.ts'
import type { MadeAnew } from './made-anew.ts'

/** Where a sequence stands. */
interface SequenceValue {
  readonly value: bigint
  readonly ascends: boolean
}

/** By qualified name. A sequence that was not asked for a number since it was made, or set back, is not in it. */
export type SequenceValues = ReadonlyMap<string, SequenceValue>

export async function readSequences(connection: Connection, historySchema: string): Promise<SequenceValues> {
  const { rows } = await connection.query(
    `SELECT pg_catalog.format('%I.%I', schemaname, sequencename) AS name, last_value::text AS value, increment_by > 0 AS ascends
FROM pg_catalog.pg_sequences WHERE last_value IS NOT NULL AND schemaname <> $1`,
    [historySchema],
  )
  return new Map(
    rows.map((row) => [String(row.name), { value: BigInt(String(row.value)), ascends: row.ascends === true }]),
  )
}

interface Point {
  readonly schema: CatalogState
  readonly sequences: SequenceValues
}

/**
 * Sequences that give numbers again which they have given before. One that went on is none of them: that is what
 * sequences do whenever rows come and go.
 *
 * @param told - tables and columns that are made anew themselves, of which is told
 */
export function setBack(before: Point, after: Point, told: readonly MadeAnew[]): readonly string[] {
  const now = new Map([...after.schema.relations].map(([id, { name }]) => [name, id]))
  return [...before.schema.relations].flatMap(
    ([
      id,
      {
        name,
        entry: { lines },
      },
    ]): readonly string[] => {
      const sameName = now.get(name)
      const owner = lines.map((line) => OWNER.exec(line)?.[1]).find((column) => column !== undefined)
      const isSequence = lines.some((line) => line.startsWith('sequence '))
      if (!isSequence || sameName === undefined || (owner !== undefined && told.some((each) => isOf(owner, each))))
        return []
      const had = before.sequences.get(name)
      const has = after.sequences.get(name)
      if (had === undefined)
        return sameName === id
          ? []
          : [`- value of ${name}: the up drops the sequence, and the down makes it from its start`]
      if (has !== undefined && (had.ascends ? has.value >= had.value : has.value <= had.value)) return []
      return [`- value of ${name}: ${had.value} before the up, ${has?.value ?? 'none'} after the down`]
    },
  )
}

/** Of a column, or of the identity of one. */
const OWNER = / owned by (.+) \([ai]\)$/

/** Whether `schema.table.column`, quoted where it must be, is that, or of it. */
function isOf(owner: string, { table, column }: MadeAnew): boolean {
  if (column === null) return owner.startsWith(`${table}.`)
  return owner === `${table}.${column}` || owner === `${table}.${quoteIdentifier(column)}`
}
