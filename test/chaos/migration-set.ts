import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { textOfCode } from './code-file.ts'

/** One statement of a generated migration. */
export interface Piece {
  readonly sql: string
  /** Only takes time, so that faults hit in the middle. */
  readonly isSleep: boolean
  /** PostgreSQL refuses it in a transaction: its effect and its record cannot commit together. */
  readonly alone: boolean
  /** In code: one round of a batch() of this size, whose statement takes it as $1. The pieces are as many as it has rounds. */
  readonly batch: { readonly sql: string; readonly size: number } | null
}

/** A generated migration; its down undoes its up exactly. */
export interface GeneratedMigration {
  readonly id: string
  readonly language: 'sql' | 'ts'
  readonly transactional: boolean
  readonly up: readonly Piece[]
  readonly down: readonly Piece[]
}

export function piece(sql: string, batch: Piece['batch'] = null): Piece {
  return {
    sql,
    isSleep: sql.includes('pg_sleep') && sql.startsWith('SELECT'),
    alone: /^\w+ (UNIQUE )?INDEX CONCURRENTLY/.test(sql),
    batch,
  }
}

/** Fails whatever the database holds. */
const FAILING = 'SELECT 1 / 0;\n'

/** Writes the files of a set into a directory. The up of the one whose index is `failing` fails at its end; outside of a transaction at its beginning. */
export async function writeSet(
  directory: string,
  set: readonly GeneratedMigration[],
  failing: number | null = null,
): Promise<void> {
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
  for (const [index, migration] of set.entries()) {
    const text = migration.language === 'ts' ? textOfCode(migration) : textOfSql(migration, index === failing)
    await writeFile(join(directory, `${migration.id}.${migration.language}`), text)
  }
}

function textOfSql({ transactional, up, down }: GeneratedMigration, fails: boolean): string {
  const option = transactional ? '' : ' transaction:false'
  const [before, after] = [fails && !transactional ? FAILING : '', fails && transactional ? FAILING : '']
  return `-- migrate:up${option}\n${before}${textOfPieces(up)}${after}-- migrate:down${option}\n${textOfPieces(down)}`
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
    readonly direction: 'up' | 'down'
    readonly start: number
    readonly target: number
  },
): ReadonlySet<number> {
  const found = new Set([run.start, run.target])
  const [low, high] = [Math.min(run.start, run.target), Math.max(run.start, run.target)]
  for (const [index, migration] of set.entries()) {
    if (index < low || index >= high) continue
    const pieces = migration[run.direction].map(({ sql }) => sql)
    const setsTransaction = pieces.some((sql) => sql.startsWith('SET TRANSACTION'))
    const addsValue = pieces.some((sql) => /^ALTER TYPE \w+ ADD VALUE/.test(sql))
    const isOwn = run.scope === 'migration' || !migration.transactional || setsTransaction
    if (isOwn) found.add(index)
    if (isOwn || addsValue) found.add(index + 1)
  }
  return found
}
