import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SqlError, type Connection } from '../../lambda/engine/database.ts'
import { excerptAt } from '../../lambda/engine/migration/excerpt.ts'
import { invalidMigration } from '../../lambda/engine/migration/invalid.ts'
import { checksumOf, normalise } from '../../lambda/engine/migration/migration-directory.ts'
import { NO_DIRECTIVES } from '../../lambda/engine/migration/directives.ts'
import type { SqlMigration } from '../../lambda/engine/migration/migration.ts'
import { splitSection, type Statement } from '../../lambda/engine/migration/statements.ts'
import { messageOf } from '../../lambda/errors.ts'

/** The file beside the migrations whose rows a down should not lose. */
export const SEED_FILE = 'seed.sql'

interface Part {
  /** Runs after this migration. Null: each statement runs as soon as it can. */
  readonly after: string | null
  readonly statements: readonly Statement[]
}

/** Rows to put in while migrations are proven. */
export interface Seed {
  readonly parts: readonly Part[]
}

/** A statement of the seed that never ran. */
export interface SeedProblem {
  readonly line: number
  readonly message: string
}

const AFTER = /^--\s*lockstep:after\s+(\S+)\s*$/

/**
 * Reads `seed.sql`. What stands below a line `-- lockstep:after <id>` runs after that migration; above the first of
 * them, each statement runs after the first migration that it can run after.
 *
 * @throws LockstepError `MIGRATION_INVALID` for one that does not parse, or names a migration that is not there.
 */
export function readSeed(directory: string, ids: ReadonlySet<string>): Seed {
  const path = join(directory, SEED_FILE)
  if (!existsSync(path)) return { parts: [] }
  return parseSeed(normalise(readFileSync(path, 'utf8')), ids)
}

/** {@link readSeed} of a text. */
export function parseSeed(source: string, ids: ReadonlySet<string>): Seed {
  const lines = source.split('\n')
  const marks = lines.flatMap((line, index) => (AFTER.test(line.trim()) ? [index] : []))
  const parts = [-1, ...marks].map((mark, index): Part => {
    const after = mark === -1 ? null : (AFTER.exec((lines[mark] ?? '').trim())?.[1] ?? null)
    if (after !== null && !ids.has(after)) throw unknownMigration(after, mark + 1)
    const text = lines.slice(mark + 1, marks[index] ?? lines.length).join('\n')
    return { after, statements: statementsOf(source, text, mark + 2) }
  })
  return { parts: parts.filter(({ statements }) => statements.length > 0) }
}

function statementsOf(source: string, text: string, line: number): readonly Statement[] {
  const up = { blocks: [{ text, line }], transactional: true }
  const migration: SqlMigration = {
    id: 'seed',
    kind: 'sql',
    repeatable: false,
    file: SEED_FILE,
    source,
    checksum: checksumOf(source),
    directives: NO_DIRECTIVES,
    up,
    down: null,
    require: [],
    verify: [],
  }
  return splitSection(migration, up)
}

function unknownMigration(id: string, line: number): Error {
  return invalidMigration({
    migration: 'seed',
    file: SEED_FILE,
    line,
    message: `it runs after "${id}", which is not in the set.`,
    remedy: 'Correct the id in lockstep:after.',
  })
}

interface Waiting {
  readonly after: string | null
  readonly statement: Statement
  /** What it failed for the last time. */
  failure: string | null
  /** What must be there before it is worth another try. */
  waitsFor: Missing | null
}

interface Missing {
  readonly relation: string
  readonly column: string | null
}

/** Sows a seed as the migrations go by. */
export interface Sower {
  /** After this migration. Gives whether rows were put in. */
  readonly sow: (connection: Connection, id: string) => Promise<boolean>
  /** What never ran. */
  readonly problems: () => readonly SeedProblem[]
}

export function sowerOf({ parts }: Seed): Sower {
  let waiting = parts.flatMap(({ after, statements }) =>
    statements.map((statement): Waiting => ({ after, statement, failure: null, waitsFor: null })),
  )
  let failed: readonly Waiting[] = []
  return {
    sow: async (connection, id) => {
      const before = waiting.length
      for (let left = -1; left !== waiting.length && waiting.length > 0;) {
        left = waiting.length
        waiting = await tryAll(connection, waiting, id)
      }
      const own = waiting.filter(({ after }) => after === id)
      failed = [...failed, ...own]
      waiting = waiting.filter((entry) => !own.includes(entry))
      return waiting.length + own.length < before
    },
    problems: () =>
      [...failed, ...waiting].map(({ statement, failure }) => ({
        line: excerptAt(statement.block, statement.offset).line,
        message: failure ?? 'there was no migration to run it after.',
      })),
  }
}

async function tryAll(connection: Connection, waiting: readonly Waiting[], id: string): Promise<Waiting[]> {
  const still: Waiting[] = []
  const there = await thereNow(connection, waiting)
  for (const entry of waiting) {
    const isTurn = entry.after === null || entry.after === id
    if (!isTurn || (entry.waitsFor !== null && !there.has(keyOf(entry.waitsFor)))) still.push(entry)
    else if (!(await tryOne(connection, entry))) still.push(entry)
  }
  return still
}

async function tryOne(connection: Connection, entry: Waiting): Promise<boolean> {
  try {
    await connection.execute('BEGIN')
    await connection.execute(entry.statement.sql)
    await connection.execute('COMMIT')
    return true
  } catch (error) {
    await connection.execute('ROLLBACK')
    entry.failure = messageOf(error)
    entry.waitsFor = error instanceof SqlError ? missingIn(error) : null
    return false
  }
}

/** undefined_table and undefined_column (PostgreSQL, appendix A) */
function missingIn({ sqlState, message }: SqlError): Missing | null {
  const [, relation = null] = (sqlState === '42P01' && /^relation "(.+)" does not exist$/.exec(message)) || []
  if (relation !== null) return { relation, column: null }
  const [, column = null, table = null] =
    (sqlState === '42703' && /^column "(.+)" of relation "(.+)" does not exist$/.exec(message)) || []
  return column === null || table === null ? null : { relation: table, column }
}

function keyOf({ relation, column }: Missing): string {
  return JSON.stringify([relation, column])
}

/** Which of the missing things are there now; one question for all. */
async function thereNow(connection: Connection, waiting: readonly Waiting[]): Promise<ReadonlySet<string>> {
  const wanted = [...new Set(waiting.flatMap(({ waitsFor }) => (waitsFor === null ? [] : [keyOf(waitsFor)])))]
  if (wanted.length === 0) return new Set()
  const { rows } = await connection.query(
    `SELECT k FROM pg_catalog.unnest($1::text[]) AS k WHERE EXISTS (SELECT FROM pg_catalog.pg_class c
  WHERE (c.relname = k::json->>0 OR c.oid = pg_catalog.to_regclass(k::json->>0))
    AND (k::json->>1 IS NULL OR EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attname = k::json->>1 AND NOT a.attisdropped)))`,
    [wanted],
  )
  return new Set(rows.map((row) => String(row.k)))
}
