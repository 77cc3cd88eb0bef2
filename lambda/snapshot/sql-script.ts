import { parseSync } from 'libpg-query'
import type pg from 'pg'
import { loadParser } from '../engine/statements.ts'
import { messageOf } from '../errors.ts'
import { remedyFor, sqlStateOf } from './failure.ts'
import { Fault } from './fault.ts'

/**
 * Runs a script statement by statement, split by PostgreSQL's own parser.
 *
 * @param name The script's name, for errors.
 * @throws Fault naming the script and the statement.
 */
export async function runScript(client: pg.Client, name: string, sql: string): Promise<void> {
  const postponed: string[] = []
  for (const statement of await splitScript(name, sql)) {
    await run(client, name, statement, () => postponed.push(statement))
  }
  for (const statement of postponed) await run(client, name, statement)
}

async function run(client: pg.Client, name: string, statement: string, postpone?: () => void): Promise<void> {
  try {
    await client.query(statement)
  } catch (error) {
    if (postpone !== undefined && mayBeTooEarly(statement, error)) return postpone()
    const message = `${name}, at "${headOf(statement)}": ${messageOf(error)}`
    throw new Fault(message, remedyFor(error), error)
  }
}

/**
 * pg_dump hands objects to their owners before it grants these the right to create in the schema. A superuser, whom
 * pg_dump has in mind, does not notice; the master user of RDS is none.
 */
function mayBeTooEarly(statement: string, error: unknown): boolean {
  return sqlStateOf(error) === '42501' && /^ALTER .* OWNER TO (?:"(?:[^"]|"")+"|\S+)$/s.test(statement)
}

/** Parsing takes some 300 times the memory of the text, so that a long script is parsed in pieces of about this size. */
const PIECE_BYTES = 128 * 1024

/** The statements of a script, without the comments between them. @throws Fault naming the script. */
export async function splitScript(name: string, sql: string): Promise<readonly string[]> {
  await loadParser()
  const statements: string[] = []
  let rest = sql
  for (let size = PIECE_BYTES; rest.trim() !== '';) {
    const piece = rest.slice(0, endOfLine(rest, size))
    const found = tryToSplit(piece)
    if ('statements' in found) {
      statements.push(...found.statements)
      rest = rest.slice(piece.length)
      size = PIECE_BYTES
    } else if (piece.length === rest.length) {
      throw new Fault(`${name} cannot be parsed: ${found.problem}`, 'Restore by the commands in the manifest.')
    } else {
      size = piece.length + PIECE_BYTES
    }
  }
  return statements
}

/** The end of the first line after `from` that ends with a semicolon: a statement's end, or a place inside one. */
function endOfLine(sql: string, from: number): number {
  const found = sql.indexOf(';\n', from)
  return found === -1 ? sql.length : found + 2
}

/**
 * A piece that was cut inside a statement does not parse, because a quote or a body in it has no end: so a piece that
 * parses is whole.
 */
function tryToSplit(sql: string): { readonly statements: readonly string[] } | { readonly problem: string } {
  if (sql.trim() === '') return { statements: [] }
  // The parser counts bytes of UTF-8, not characters.
  const bytes = Buffer.from(sql)
  try {
    const { stmts = [] } = parseSync(sql)
    const statements = stmts.map(({ stmt_location: start = 0, stmt_len: length = 0 }) =>
      bytes.toString('utf8', start, length === 0 ? bytes.length : start + length).replace(LEADING_COMMENTS, ''),
    )
    return { statements }
  } catch (error) {
    return { problem: messageOf(error) }
  }
}

const LEADING_COMMENTS = /^(?:\s|--[^\n]*\n)+/

/** Enough to know the statement by; never a literal, which may be a secret (user mappings, subscriptions). */
function headOf(statement: string): string {
  return (/^[^'($\n]{0,120}/.exec(statement)?.[0] ?? '').trim()
}
