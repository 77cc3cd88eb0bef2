import { hasSqlDetails, loadModule, parseSync } from 'libpg-query'
import { messageOf, type LockstepError } from '../../errors.ts'
import { maskSecretsOf } from '../../mask-secrets.ts'
import { useBaselineWebAssembly } from '../../web-assembly.ts'
import { excerptAt } from './excerpt.ts'
import { invalidMigration, refuse, type Report } from './invalid.ts'
import type { Migration, SqlBlock, SqlMigration, SqlSection } from './migration.ts'
import { beginsTransaction, traitsOf, type StatementTraits } from './statement-traits.ts'

/** One statement of a migration file. */
export interface Statement {
  /** Without the closing semicolon and surrounding white space. */
  readonly sql: string
  readonly block: SqlBlock
  /** Where `sql` begins in the block's text, in UTF-16 units. */
  readonly offset: number
  readonly traits: StatementTraits
}

/** Loads the parser (WebAssembly). Needed once, before {@link splitSection}. */
export async function loadParser(): Promise<void> {
  useBaselineWebAssembly()
  await loadModule()
}

/**
 * Splits a section into statements with PostgreSQL's own parser and checks that they can run as the file declares.
 * A `BEGIN` and `COMMIT` around the whole of a transactional section are left out: the run's transaction is in place.
 *
 * @param report - takes each statement that cannot stand there. @default thrown
 * @throws LockstepError `MIGRATION_INVALID` with line and caret.
 */
export function splitSection(
  migration: SqlMigration,
  section: SqlSection,
  report: Report = refuse,
): readonly Statement[] {
  const statements = splitBlocks(migration, section.blocks, report)
  for (const statement of statements) refuseInput(migration, statement, report)
  if (!section.transactional) {
    refuseOpenEnd(migration, statements, report)
    for (const statement of statements) refuseChain(migration, statement, report)
    return statements
  }
  const inner = withoutOwnTransaction(statements)
  for (const statement of inner) refuseOutsideTransaction(migration, statement, report)
  return inner
}

/**
 * Splits the queries of `migrate:require` or `migrate:verify`.
 *
 * @throws LockstepError `MIGRATION_INVALID` with line and caret, also for what is no query.
 */
export function splitQuestions(
  migration: SqlMigration,
  blocks: readonly SqlBlock[],
  report: Report = refuse,
): readonly Statement[] {
  const statements = splitBlocks(migration, blocks, report)
  for (const statement of statements) {
    if (!statement.traits.isQuery) report(noQuery(migration, statement))
  }
  return statements
}

/** A text without any of these neither begins nor ends a transaction. */
const CONTROL = /\b(?:begin|start|commit|end|abort|rollback|prepare)\b/i

/**
 * Whether one of the statements of a text begins or ends a transaction. Savepoints do not. What cannot be read has none:
 * the server will not read it either.
 */
export function controlsTransaction(sql: string): boolean {
  if (!CONTROL.test(sql)) return false
  try {
    return (parseSync(sql).stmts ?? []).some(({ stmt }) => traitsOf(stmt).transactionControl !== null)
  } catch {
    return false
  }
}

function splitBlocks(migration: SqlMigration, blocks: readonly SqlBlock[], report: Report): readonly Statement[] {
  return blocks.flatMap((block) => splitBlock(migration, block, report))
}

interface ParsedStatement {
  readonly stmt?: unknown
  readonly stmt_location?: number
  readonly stmt_len?: number
}

function splitBlock(migration: Migration, block: SqlBlock, report: Report): readonly Statement[] {
  const bytes = Buffer.from(block.text, 'utf8')
  let seenBytes = 0
  let seenUnits = 0
  return parse(migration, block, report).map((parsed): Statement => {
    const from = parsed.stmt_location ?? 0
    const to = parsed.stmt_len ? from + parsed.stmt_len : bytes.length
    seenUnits += bytes.toString('utf8', seenBytes, from).length
    seenBytes = from
    const raw = bytes.toString('utf8', from, to)
    const lead = leadingNoise(raw)
    return { sql: raw.slice(lead).trimEnd(), block, offset: seenUnits + lead, traits: traitsOf(parsed.stmt) }
  })
}

/** Length of the white space and comments before the statement's first word. */
function leadingNoise(sql: string): number {
  return /^(?:\s+|--[^\n]*(?:\n|$))*/.exec(sql)?.[0].length ?? 0
}

function parse(migration: Migration, block: SqlBlock, report: Report): readonly ParsedStatement[] {
  let { text } = block
  for (;;) {
    // The parser answers an empty text with no list at all.
    if (text.trim() === '') return []
    try {
      return parseSync(text).stmts ?? []
    } catch (error) {
      const position = hasSqlDetails(error) ? (error.sqlDetails?.cursorPosition ?? 0) : 0
      const offset = codeUnits(block.text, Math.max(position, 0))
      report(syntaxError(migration, block, { message: messageOf(error), offset }))
      const rest = withoutStatementAt(text, offset)
      if (rest === null) return []
      text = rest
    }
  }
}

function syntaxError(
  migration: Migration,
  block: SqlBlock,
  { message, offset }: { readonly message: string; readonly offset: number },
): LockstepError {
  return invalidMigration({
    migration: migration.id,
    file: migration.file,
    message: maskSecretsOf(block.text, `${message}.`),
    ...excerptAt(block, offset),
    remedy: remedyForSyntax(block.text, offset),
  })
}

/**
 * The text with blanks instead of the statement that has an error, so that what comes after it is looked at as well. A
 * statement ends with a line here, which is nearly always true. Null: nothing comes after it.
 */
function withoutStatementAt(text: string, offset: number): string | null {
  const end = /;[ \t]*(?:--.*)?$/m.exec(text.slice(offset))
  if (end === null) return null
  const upTo = offset + end.index + 1
  const from = text.slice(0, offset).lastIndexOf(';') + 1
  return `${text.slice(0, from)}${text.slice(from, upTo).replaceAll(/[^\n]/gu, (character) => ' '.repeat(Buffer.byteLength(character)))}${text.slice(upTo)}`
}

function remedyForSyntax(text: string, position: number): string {
  if (text.charAt(position) === '\\') return 'Remove psql meta-commands: the file is run by the server, not by psql.'
  if (/\bfrom\s+stdin\b/i.test(text.slice(0, position)))
    return 'Write INSERT instead of COPY … FROM stdin: its data cannot stand in a migration.'
  return 'Correct the statement.'
}

/** PostgreSQL counts characters, JavaScript UTF-16 units. */
export function codeUnits(text: string, characters: number): number {
  let units = 0
  let seen = 0
  for (const character of text) {
    if (seen >= characters) break
    seen += 1
    units += character.length
  }
  return units
}

function refuseInput(migration: SqlMigration, statement: Statement, report: Report): void {
  if (!statement.traits.copiesFromInput) return
  report(
    invalidMigration({
      migration: migration.id,
      file: migration.file,
      message: 'COPY … FROM STDIN has no data to read in a migration.',
      ...excerptAt(statement.block, statement.offset),
      remedy: 'Write INSERT instead.',
    }),
  )
}

/** What a file begins and does not commit would be recorded, and then lost. */
function refuseOpenEnd(migration: SqlMigration, statements: readonly Statement[], report: Report): void {
  const last = statements.findLast((statement) => statement.traits.transactionControl !== null)
  if (last === undefined || !beginsTransaction(last.traits)) return
  report(
    invalidMigration({
      migration: migration.id,
      file: migration.file,
      message: 'a transaction is begun here that the file does not end.',
      ...excerptAt(last.block, last.offset),
      remedy: 'Write COMMIT at its end, or remove BEGIN.',
    }),
  )
}

/** A run that goes on behind it would have to begin what the statement had begun. */
function refuseChain(migration: SqlMigration, statement: Statement, report: Report): void {
  if (statement.traits.transactionControl !== 'chain') return
  report(
    invalidMigration({
      migration: migration.id,
      file: migration.file,
      message: 'a transaction is ended and another begun by one statement.',
      ...excerptAt(statement.block, statement.offset),
      remedy: 'Write COMMIT (or ROLLBACK) and BEGIN as two statements.',
    }),
  )
}

function withoutOwnTransaction(statements: readonly Statement[]): readonly Statement[] {
  const [first, ...rest] = statements
  const last = rest.pop()
  const wraps = first?.traits.transactionControl === 'begin' && last?.traits.transactionControl === 'commit'
  return wraps ? rest : statements
}

function refuseOutsideTransaction(migration: SqlMigration, statement: Statement, report: Report): void {
  const { outsideTransaction, transactionControl } = statement.traits
  if (outsideTransaction === null && transactionControl === null) return
  const what = outsideTransaction ?? 'BEGIN, COMMIT or ROLLBACK'
  report(
    invalidMigration({
      migration: migration.id,
      file: migration.file,
      message: `${what} cannot run inside a transaction, and the file does not declare transaction:false.`,
      ...excerptAt(statement.block, statement.offset),
      remedy:
        outsideTransaction === null
          ? 'Remove it: Lockstep runs the file in a transaction. Or write "-- migrate:up transaction:false".'
          : 'Move it to a file of its own that begins with "-- migrate:up transaction:false" (and the same for its down).',
    }),
  )
}

function noQuery(migration: SqlMigration, statement: Statement): LockstepError {
  return invalidMigration({
    migration: migration.id,
    file: migration.file,
    message: 'this is no query.',
    ...excerptAt(statement.block, statement.offset),
    remedy: 'Below "-- migrate:require" and "-- migrate:verify" write SELECTs that give true.',
  })
}
