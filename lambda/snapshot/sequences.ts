import type pg from 'pg'
import { quoteLiteral } from '../engine/database.ts'
import { qualified, type CatalogObject } from './catalog.ts'

/** Few enough for one statement, many enough that the round trips do not count. */
const BATCH = 200

/** `sequences.sql`: one `setval` for each sequence, with the exact value and whether it has been handed out. */
export async function sequenceScript(client: pg.Client, sequences: readonly CatalogObject[]): Promise<string> {
  const lines: string[] = []
  for (let start = 0; start < sequences.length; start += BATCH) {
    const batch = sequences.slice(start, start + BATCH)
    const states = await readStates(client, batch)
    batch.forEach((sequence, index) => {
      const state = states.get(index)
      if (state === undefined) throw new Error(`sequence ${qualified(sequence)} has no state`)
      const name = quoteLiteral(qualified(sequence)).trimStart()
      lines.push(`SELECT pg_catalog.setval(${name}, ${state.value}, ${state.called});\n`)
    })
  }
  return lines.join('')
}

interface State {
  readonly value: string
  readonly called: boolean
}

async function readStates(client: pg.Client, batch: readonly CatalogObject[]): Promise<ReadonlyMap<number, State>> {
  const selects = batch.map(
    (sequence, index) =>
      `SELECT ${index} AS index, last_value::text AS value, is_called AS called FROM ${qualified(sequence)}`,
  )
  const result = await client.query<State & { readonly index: number }>(selects.join(' UNION ALL '))
  return new Map(result.rows.map((row) => [row.index, row]))
}
