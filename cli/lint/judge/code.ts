import { parsePlPgSQLSync } from 'libpg-query'
import { fieldsOf, listOf, someNode, treeOf, type Fields } from '../../../lambda/engine/migration/parse-tree.ts'
import { statementIn } from '../../../lambda/engine/migration/plpgsql.ts'
import { writtenBy } from '../../../lambda/engine/hazards/row-changes.ts'
import type { Observation } from '../observation.ts'
import { found, listed, quotedIn, withoutPartitions, type Found } from './found.ts'
import { isSame } from './rows.ts'

/** Statements whose text does not say what they do. */
export const OPAQUE = new Set([
  'LockStmt',
  'DoStmt',
  'SelectStmt',
  'CallStmt',
  'ExecuteStmt',
  'CreateTableAsStmt',
  'ExplainStmt',
])

/** Of these, those that may commit. */
const COMMITS = new Set(['DoStmt', 'CallStmt'])

/** What code does: blocks, functions and procedures. */
export function judgeCode(observation: Observation): readonly Found[] {
  if (!OPAQUE.has(observation.statement.kind)) return []
  return [...judgeWrites(observation), ...judgeUnseen(observation)]
}

/** That it writes rows shows by its lock, even where there are none. */
function judgeWrites(observation: Observation): readonly Found[] {
  // Whatever locks its own commits have given back again.
  if (observation.lockTimeoutMs === null && COMMITS.has(observation.statement.kind))
    return [found('rows-changed-by-code', null, 'commits by itself, and may write rows in between')]
  const named = writtenBy(observation.statement)
  const written = observation.locks
    .filter(({ mode, relation }) => mode === 'RowExclusiveLock' && relation.kind === 'table')
    .map(({ relation }) => relation)
    .filter((relation) => !named.some((each) => isSame(each, relation)))
  const tables = withoutPartitions(written)
  return tables.length === 0
    ? []
    : [found('rows-changed-by-code', tables[0] ?? null, `writes rows of ${listed(tables)}`)]
}

/** Tables with a new file of which ALTER TABLE has not said that it rewrites them: code has emptied them. */
export function emptiedByCode(observation: Observation): Observation['rewritten'] {
  if (!OPAQUE.has(observation.statement.kind)) return []
  const rewritten = quotedIn(observation, /^rewriting table "(.+)"$/)
  return observation.rewritten.filter(({ kind, name }) => kind === 'table' && !rewritten.includes(name))
}

/** The shadow's tables are empty: what a block does for the rows that it finds, it has not done there. */
function judgeUnseen({ statement }: Observation): readonly Found[] {
  if (statement.kind !== 'DoStmt') return []
  const { readsRows, guarded } = dependenceOf(statement.sql)
  const [first] = guarded
  if (!readsRows || first === undefined) return []
  const definition = guarded.find(({ isDefinition }) => isDefinition)
  return definition === undefined
    ? [found('rows-changed-by-code', null, `runs ${first.text} where rows decide so`)]
    : [found('code-not-seen', null, `runs ${definition.text} where rows decide so, and there were none`)]
}

interface Dependence {
  /** Whether a condition or a query of the block reads a table. */
  readonly readsRows: boolean
  /** What runs only sometimes. */
  readonly guarded: readonly GuardedStatement[]
}

interface GuardedStatement {
  /** For people. */
  readonly text: string
  /** Whether it is, or may be, more than a change of rows. */
  readonly isDefinition: boolean
}

const GUARDS = /^PLpgSQL_(?:stmt_(?:if|case|loop|while|fori|fors|forc|foreach_a|dynfors)|if_elsif|case_when|exception)$/

function dependenceOf(sql: string): Dependence {
  const block = parsed(sql)
  let readsRows = false
  const all: (GuardedStatement & { readonly isGuarded: boolean })[] = []
  let returnsEarly = false
  walk(block, false, (kind, fields, isGuarded) => {
    if (kind === 'PLpgSQL_stmt_return' && isGuarded) returnsEarly = true
    if (kind === 'PLpgSQL_stmt_dynexecute') all.push({ text: 'EXECUTE', isDefinition: true, isGuarded })
    if (kind !== 'PLpgSQL_expr') return
    const tree = treeOf(statementIn(fields))
    if (tree.kind === 'SelectStmt') readsRows ||= readsTable(tree.fields)
    else if (tree.kind !== '') all.push({ ...described(String(fields.query), tree.kind), isGuarded })
  })
  return { readsRows, guarded: all.filter(({ isGuarded }) => isGuarded || returnsEarly) }
}

function parsed(sql: string): unknown {
  try {
    return parsePlPgSQLSync(sql)
  } catch {
    // Of another language, or not understood: nothing can be said.
    return null
  }
}

type Visit = (kind: string, fields: Fields, isGuarded: boolean) => void

function walk(node: unknown, isGuarded: boolean, visit: Visit): void {
  if (Array.isArray(node)) for (const item of listOf(node)) walk(item, isGuarded, visit)
  else
    for (const [key, child] of Object.entries(fieldsOf(node))) {
      visit(key, fieldsOf(child), isGuarded)
      walk(child, isGuarded || GUARDS.test(key), visit)
    }
}

const CATALOGS = new Set(['pg_catalog', 'information_schema'])

/** Rows of catalogs are the same everywhere that the same migrations have run. */
function readsTable(select: Fields): boolean {
  return someNode(select, (kind, { schemaname, relname }) => {
    const isCatalog =
      CATALOGS.has(String(schemaname)) || (schemaname === undefined && String(relname).startsWith('pg_'))
    return kind === 'RangeVar' && !isCatalog
  })
}

const CHANGES = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'])

function described(query: string, kind: string): GuardedStatement {
  const [first = ''] = query.trim().split('\n')
  const text = first.length > 60 ? `${first.slice(0, 60)}…` : first
  return { text: `"${text}"`, isDefinition: !CHANGES.has(kind) }
}
