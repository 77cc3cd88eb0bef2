import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** One statement of a generated migration. */
export interface Piece {
  readonly sql: string
  /** Only takes time, so that faults hit in the middle. */
  readonly isSleep: boolean
  /** PostgreSQL refuses it in a transaction: its effect and its record cannot commit together. */
  readonly alone: boolean
}

/** A generated migration; its down undoes its up exactly. */
export interface GeneratedMigration {
  readonly id: string
  readonly transactional: boolean
  readonly up: readonly Piece[]
  readonly down: readonly Piece[]
}

export function piece(sql: string): Piece {
  return {
    sql,
    isSleep: sql.includes('pg_sleep') && sql.startsWith('SELECT'),
    alone: /^\w+ (UNIQUE )?INDEX CONCURRENTLY/.test(sql),
  }
}

/** Writes the files of a set into a new directory. */
export async function writeSet(directory: string, set: readonly GeneratedMigration[]): Promise<void> {
  await mkdir(directory, { recursive: true })
  for (const migration of set) await writeFile(join(directory, `${migration.id}.sql`), textOf(migration))
}

function textOf({ transactional, up, down }: GeneratedMigration): string {
  const option = transactional ? '' : ' transaction:false'
  return `-- migrate:up${option}\n${textOfPieces(up)}-- migrate:down${option}\n${textOfPieces(down)}`
}

function textOfPieces(pieces: readonly Piece[]): string {
  return pieces.map(({ sql }) => `${sql};\n`).join('')
}

/**
 * Where a run may be cut into what commits together, as numbers of applied migrations. Written anew from DESIGN §6, so
 * that the engine is not checked against itself.
 */
export function boundaries(
  set: readonly GeneratedMigration[],
  run: {
    readonly scope: 'run' | 'migration'
    readonly action: 'up' | 'down'
    readonly start: number
    readonly target: number
  },
): ReadonlySet<number> {
  const found = new Set([run.start, run.target])
  const [low, high] = [Math.min(run.start, run.target), Math.max(run.start, run.target)]
  for (const [index, migration] of set.entries()) {
    if (index < low || index >= high) continue
    const pieces = migration[run.action].map(({ sql }) => sql)
    const setsTransaction = pieces.some((sql) => sql.startsWith('SET TRANSACTION'))
    const addsValue = pieces.some((sql) => /^ALTER TYPE \w+ ADD VALUE/.test(sql))
    const isOwn = run.scope === 'migration' || !migration.transactional || setsTransaction
    if (isOwn) found.add(index)
    if (isOwn || addsValue) found.add(index + 1)
  }
  return found
}
