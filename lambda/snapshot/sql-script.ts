import { parseSync } from 'libpg-query'
import type pg from 'pg'
import { loadParser } from '../engine/migration/statements.ts'
import { messageOf } from '../errors.ts'
import { remedyFor, sqlStateOf } from './failure.ts'
import { Fault } from './fault.ts'
import { rolesIn, sessionUserOf } from './parse-tree.ts'
import { effectOf, type RoleMention, type ScriptStatement } from './script-statement.ts'

/** A script of pg_dump, in its order. */
export interface Script {
  /** For errors. */
  readonly name: string
  readonly statements: readonly ScriptStatement[]
}

/** Statements that are sent together: few enough that those before a failure can be run again without loss. */
const TOGETHER = 50

/**
 * Runs a script in its order, in a session without an open transaction.
 *
 * @throws Fault naming the script and the statement.
 */
export async function runScript(client: pg.Client, { name, statements }: Script): Promise<void> {
  const postponed: string[] = []
  for (let start = 0; start < statements.length; start += TOGETHER) {
    const batch = statements.slice(start, start + TOGETHER).map(({ sql }) => sql)
    await runTogether(client, name, batch, (sql, error) => {
      if (!mayBeTooEarly(sql, error)) throw error
      postponed.push(sql)
    })
  }
  for (const sql of postponed) await runStatement(client, name, sql)
}

/**
 * Sends statements in one message, which PostgreSQL runs in one transaction: it spares a round trip and a commit for
 * each. When that fails nothing of it has been done, and they are run one by one, to know which it is; some also cannot
 * be in a transaction.
 *
 * @param onFailure Sees to the statement that failed; what it throws ends the rest. @default throws
 * @throws Fault naming the script and the statement.
 */
export async function runTogether(
  client: pg.Client,
  script: string,
  statements: readonly string[],
  onFailure: (sql: string, error: unknown) => void | Promise<void> = (_sql, error) => {
    throw error
  },
): Promise<void> {
  if (statements.length > 1 && (await isDone(client, statements))) return
  for (const sql of statements) {
    try {
      await runStatement(client, script, sql)
    } catch (error) {
      await onFailure(sql, error)
    }
  }
}

/** Whether all of it could be done at once. */
async function isDone(client: pg.Client, statements: readonly string[]): Promise<boolean> {
  try {
    // A comment at the end of a statement must not swallow the semicolon.
    await client.query(statements.join('\n;\n'))
    return true
  } catch (error) {
    if (sqlStateOf(error) === undefined) throw error
    return false
  }
}

/** @throws Fault naming the script and the statement. */
export async function runStatement(client: pg.Client, script: string, sql: string): Promise<void> {
  try {
    await client.query(sql)
  } catch (error) {
    throw new Fault(`${script}, at "${headOf(sql)}": ${messageOf(error)}`, remedyFor(error), error)
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

/** Splits a script by PostgreSQL's own parser. @throws Fault naming the script. */
export async function parseScript(name: string, sql: string): Promise<Script> {
  await loadParser()
  const statements: ScriptStatement[] = []
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
  return { name, statements }
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
function tryToSplit(sql: string): { readonly statements: readonly ScriptStatement[] } | { readonly problem: string } {
  if (sql.trim() === '') return { statements: [] }
  // The parser counts bytes of UTF-8, not characters.
  const bytes = Buffer.from(sql)
  try {
    const { stmts = [] } = parseSync(sql)
    const statements = stmts.map(({ stmt, stmt_location: start = 0, stmt_len: length = 0 }): ScriptStatement => {
      const text = bytes.toString('utf8', start, length === 0 ? bytes.length : start + length)
      const sql = text.replace(LEADING_COMMENTS, '')
      // Comments may hold characters of several bytes: names of objects.
      const begin = start + Buffer.byteLength(text) - Buffer.byteLength(sql)
      return { sql, effect: effectOf(stmt), roles: mentionsIn(stmt, begin) }
    })
    return { statements }
  } catch (error) {
    return { problem: messageOf(error) }
  }
}

function mentionsIn(node: unknown, begin: number): readonly RoleMention[] {
  const user = sessionUserOf(node)
  const found = user === null ? rolesIn(node) : [user]
  return found.map(({ role, at }) => ({ role, at: at - begin }))
}

const LEADING_COMMENTS = /^(?:\s|--[^\n]*\n)+/

/** Enough to know the statement by; never a literal, which may be a secret (user mappings, subscriptions). */
export function headOf(statement: string): string {
  return (/^[^'($\n]{0,120}/.exec(statement)?.[0] ?? '').trim()
}
