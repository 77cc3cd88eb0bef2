import { excerptAt } from '../migration/excerpt.ts'
import type { Connection } from '../database.ts'
import { quoteIdentifier, SqlError } from '../database.ts'
import { questionsOf, questionsOfDefinition, type DataQuestion, type Lookup } from './data-questions.ts'
import { alterActions, relationIn, treeOf, type NamedRelation } from '../migration/parse-tree.ts'
import type { Statement } from '../migration/statements.ts'
import type { Step } from '../plan/step.ts'

/** Rows of the live database that a pending statement would refuse. Never says what is in them. */
export interface Violation {
  readonly step: Step
  /** 1-based, in the file. */
  readonly line: number
  readonly relation: string
  readonly demand: string
  /** How many there are, up to {@link MOST_COUNTED}. */
  readonly count: number
  /** False where an earlier statement of the run may correct them first. */
  readonly isCertain: boolean
}

/** More are not counted: one is enough to fail. */
export const MOST_COUNTED = 1000

/** For a single question. An answer that takes longer is left to the migration itself. Milliseconds. */
const QUESTION_TIMEOUT_MS = 5000
/** For all of them together. */
const PATIENCE_MS = 30_000

/**
 * Asks the live database, read-only and for a few seconds at most, whether its rows are what the pending statements demand.
 * What cannot be asked (a table that the run makes itself, a query that takes too long) counts as nothing.
 */
export async function findViolations(
  connection: Connection,
  steps: readonly Step[],
  monotonic: () => number,
): Promise<readonly Violation[]> {
  const deadline = monotonic() + PATIENCE_MS
  const violations: Violation[] = []
  const doubtful = new Set<string>()
  let mayBeAny = false
  for (const step of steps) {
    if (step.kind === 'ts') {
      mayBeAny = true
      continue
    }
    for (const statement of step.statements) {
      for (const name of changedBy(statement)) doubtful.add(name)
      for (const lookup of questionsOf(statement.sql)) {
        if (monotonic() > deadline) return violations
        const asked = { step, statement, isCertain: (name: string) => !mayBeAny && !doubtful.has(name) }
        violations.push(...(await askOne(connection, lookup, asked)))
      }
      // Most definitions change no rows; anything else may, or may change what names mean.
      mayBeAny ||= statement.traits.mayChangeSession
    }
  }
  return violations
}

/**
 * Names that may stand for another table than in the live database once the statement has run, or for one with other
 * values. One ALTER TABLE may convert a column, and demand something of what comes of it.
 */
function changedBy({ sql }: Statement): readonly string[] {
  const { kind, fields } = treeOf(sql)
  const isChange = CHANGES_NAMES.has(kind) || alterActions(fields).some(({ type }) => CONVERTS.has(type))
  const relation = relationIn(fields.relation)
  return isChange && relation !== null ? [relation.name] : []
}

const CHANGES_NAMES = new Set(['CreateStmt', 'RenameStmt', 'AlterObjectSchemaStmt'])

const CONVERTS = new Set([
  'AT_AlterColumnType',
  'AT_DropColumn',
  'AT_SetExpression',
  'AT_AttachPartition',
  'AT_DetachPartition',
])

interface Asked {
  readonly step: Step
  readonly statement: Statement
  /** Whether the table of this name is the one of the live database, with its values. */
  readonly isCertain: (name: string) => boolean
}

async function askOne(connection: Connection, lookup: Lookup, asked: Asked): Promise<readonly Violation[]> {
  const { step, statement, isCertain } = asked
  const violations: Violation[] = []
  for (const question of await resolved(connection, lookup)) {
    const count = await countViolations(connection, question)
    if (count === 0) continue
    const { line } = excerptAt(statement.block, statement.offset)
    const { relation, demand } = question
    violations.push({ step, line, relation: textOfName(relation), demand, count, isCertain: isCertain(relation.name) })
  }
  return violations
}

async function resolved(connection: Connection, lookup: Lookup): Promise<readonly DataQuestion[]> {
  switch (lookup.kind) {
    case 'question':
      return [lookup.question]
    case 'primary-key': {
      const keys = await primaryKeyOf(connection, lookup.of)
      return keys.length === 0 ? [] : [lookup.demandOf(keys)]
    }
    case 'constraint': {
      const definition = await definitionOf(connection, lookup)
      const questions: DataQuestion[] = []
      for (const each of definition === null ? [] : questionsOfDefinition(lookup.relation, definition)) {
        questions.push(...(await resolved(connection, each)))
      }
      return questions
    }
    default:
      return lookup satisfies never
  }
}

async function primaryKeyOf(connection: Connection, relation: NamedRelation): Promise<readonly string[]> {
  const { rows } = await connection.query(
    `SELECT a.attname::text AS name FROM pg_catalog.pg_index i
  JOIN unnest(i.indkey) WITH ORDINALITY key(number, place) ON true
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = key.number
WHERE i.indrelid = pg_catalog.to_regclass($1) AND i.indisprimary ORDER BY key.place`,
    [quotedName(relation)],
  )
  return rows.map((row) => String(row.name))
}

async function definitionOf(
  connection: Connection,
  { relation, name }: { readonly relation: NamedRelation; readonly name: string },
): Promise<string | null> {
  const { rows } = await connection.query(
    `SELECT pg_catalog.pg_get_constraintdef(oid) AS definition FROM pg_catalog.pg_constraint
WHERE conrelid = pg_catalog.to_regclass($1) AND conname = $2 AND NOT convalidated`,
    [quotedName(relation), name],
  )
  return rows[0] === undefined ? null : String(rows[0].definition)
}

/** In a transaction of its own that may not write: a CHECK may call any function. */
async function countViolations(connection: Connection, { sql }: DataQuestion): Promise<number> {
  try {
    await connection.execute(
      `BEGIN READ ONLY; SET LOCAL statement_timeout = ${QUESTION_TIMEOUT_MS}; SET LOCAL lock_timeout = 1000`,
    )
    const { rows } = await connection.query(
      `SELECT pg_catalog.count(*)::int AS count FROM (${sql} LIMIT ${MOST_COUNTED}) violation`,
    )
    return Number(rows[0]?.count)
  } catch (error) {
    if (error instanceof SqlError) return 0
    throw error
  } finally {
    if (connection.isOpen()) await connection.execute('ROLLBACK')
  }
}

function textOfName({ schema, name }: NamedRelation): string {
  return schema === null ? name : `${schema}.${name}`
}

function quotedName({ schema, name }: NamedRelation): string {
  return [schema, name].flatMap((part) => (part === null ? [] : [quoteIdentifier(part)])).join('.')
}

/** `1 row`, `1,000 rows or more`. */
export function violationText({ relation, demand, count, isCertain }: Violation): string {
  const rows = `${count.toLocaleString('en-US')} ${count === 1 ? 'row' : 'rows'}${count === MOST_COUNTED ? ' or more' : ''}`
  const doubt = isCertain ? '' : ', unless an earlier statement of the run corrects them'
  return `${relation} demands ${demand}, and ${rows} ${count === 1 ? 'violates' : 'violate'} it${doubt}`
}
