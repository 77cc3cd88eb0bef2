import type { Piece } from './migration-set.ts'
import type { Random } from './random.ts'

/** What the migrations so far have made. Changes as recipes are used. */
export interface World {
  readonly tables: Table[]
  readonly enums: EnumTable[]
  /** Makes names unique. */
  counter: number
}

export interface Table {
  readonly name: string
  nextId: number
}

export interface EnumTable {
  readonly name: string
  readonly type: string
  readonly labels: string[]
  nextId: number
}

/** The statements of a migration, before sleeps are put in between. */
export interface Draft {
  readonly up: readonly (string | Piece)[]
  readonly down: readonly (string | Piece)[]
  readonly transactional?: boolean
  /** @default either */
  readonly language?: 'ts'
}

/** Makes the next migration of a set, and changes the world as it will. */
export type Recipe = (world: World, random: Random) => Draft

/** Statements that add rows to a table and take them away. With explicit ids: a sequence would go on after a rollback, and the contents could not be compared. */
export function rows(table: Table, count: number): { readonly insert: string; readonly remove: string } {
  const [from, to] = [table.nextId, table.nextId + count - 1]
  table.nextId = to + 1
  return {
    insert: `INSERT INTO ${table.name} (id, name) SELECT g, 'row ' || g FROM generate_series(${from}, ${to}) g`,
    remove: `DELETE FROM ${table.name} WHERE id BETWEEN ${from} AND ${to}`,
  }
}

/** A name that nothing else in the set has. */
export function unique(world: World, word: string): string {
  world.counter += 1
  return `${word}_${world.counter}`
}
