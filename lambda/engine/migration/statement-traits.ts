import type { ConcurrentIndex } from '../run/invalid-indexes.ts'

/** What the engine must know of a statement before it runs it. */
export interface StatementTraits {
  /** PostgreSQL refuses it inside a transaction block; the text names what it is. */
  readonly outsideTransaction: string | null
  /** `BEGIN`, `COMMIT` and their kin; savepoints are not among them. */
  readonly transactionControl: 'begin' | 'begin-with-options' | 'commit' | 'chain' | 'other' | null
  /** `ALTER TYPE … ADD VALUE`: the value may not be used before the commit. */
  readonly addsEnumValue: boolean
  /** `SET TRANSACTION …`: must come first in its transaction. */
  readonly setsTransaction: boolean
  /** What it does to indexes CONCURRENTLY: it blocks nobody, and may leave an invalid index. */
  readonly concurrentIndex: ConcurrentIndex | null
  /** It may commit by itself: CALL, and a DO whose body says anything of the kind. */
  readonly mayCommit: boolean
  /** `COPY … FROM STDIN`, whose data cannot stand in a migration. */
  readonly copiesFromInput: boolean
  /** It may leave another `search_path`, role or timeout behind; false only where that cannot be. */
  readonly mayChangeSession: boolean
  /** `SELECT`, `VALUES` or `TABLE`, without `INTO`. */
  readonly isQuery: boolean
}

type Fields = Readonly<Record<string, unknown>>

const PLAIN: StatementTraits = {
  outsideTransaction: null,
  transactionControl: null,
  addsEnumValue: false,
  setsTransaction: false,
  concurrentIndex: null,
  mayCommit: false,
  copiesFromInput: false,
  mayChangeSession: false,
  isQuery: false,
}

/** Definitions run no code of the user's that could call `set_config`. */
const DEFINITIONS = new Set([
  'CreateStmt',
  'IndexStmt',
  'AlterTableStmt',
  'DropStmt',
  'RenameStmt',
  'CommentStmt',
  'GrantStmt',
  'CreateSeqStmt',
  'AlterSeqStmt',
  'CreateEnumStmt',
  'AlterEnumStmt',
  'CreateDomainStmt',
  'CompositeTypeStmt',
  'CreateFunctionStmt',
  'CreateTrigStmt',
  'ViewStmt',
  'CreatePolicyStmt',
  'AlterOwnerStmt',
  'AlterObjectSchemaStmt',
  'CreateSchemaStmt',
])

/** Reads the traits from a statement's parse tree (`{ IndexStmt: { … } }`). */
export function traitsOf(node: unknown): StatementTraits {
  const [kind, fields] = Object.entries(asFields(node))[0] ?? ['', {}]
  const body = asFields(fields)
  switch (kind) {
    case 'TransactionStmt':
      return { ...PLAIN, transactionControl: transactionControl(body) }
    case 'AlterEnumStmt':
      return { ...PLAIN, addsEnumValue: body.newVal !== undefined && body.oldVal === undefined }
    case 'VariableSetStmt':
      return {
        ...PLAIN,
        mayChangeSession: true,
        setsTransaction: body.kind === 'VAR_SET_MULTI' && body.name === 'TRANSACTION',
      }
    default:
      return {
        ...PLAIN,
        mayChangeSession: !DEFINITIONS.has(kind),
        isQuery: kind === 'SelectStmt' && body.intoClause === undefined,
        outsideTransaction: outsideTransaction(kind, body),
        concurrentIndex: concurrentIndex(kind, body),
        mayCommit: kind === 'CallStmt' || (kind === 'DoStmt' && COMMITS.test(JSON.stringify(body))),
        copiesFromInput: kind === 'CopyStmt' && body.is_from === true && body.filename === undefined,
      }
  }
}

/** Words without which no procedural language ends a transaction; `call` may lead to a procedure that does. */
const COMMITS = /commit|rollback|call/i

function transactionControl(body: Fields): StatementTraits['transactionControl'] {
  switch (body.kind) {
    case 'TRANS_STMT_SAVEPOINT':
    case 'TRANS_STMT_RELEASE':
    case 'TRANS_STMT_ROLLBACK_TO':
      return null
    case 'TRANS_STMT_BEGIN':
    case 'TRANS_STMT_START':
      return body.options === undefined ? 'begin' : 'begin-with-options'
    case 'TRANS_STMT_COMMIT':
      return body.chain === true ? 'chain' : 'commit'
    case 'TRANS_STMT_ROLLBACK':
      return body.chain === true ? 'chain' : 'other'
    default:
      return 'other'
  }
}

/** Whether the statements that follow stand in a transaction that the file has begun. */
export function beginsTransaction({ transactionControl }: StatementTraits): boolean {
  return transactionControl === 'begin' || transactionControl === 'begin-with-options'
}

/** The list is that of `PreventInTransactionBlock` callers in PostgreSQL's sources (18). */
function outsideTransaction(kind: string, body: Fields): string | null {
  switch (kind) {
    case 'IndexStmt':
      return body.concurrent === true ? 'CREATE INDEX CONCURRENTLY' : null
    case 'DropStmt':
      return body.concurrent === true ? 'DROP INDEX CONCURRENTLY' : null
    case 'ReindexStmt':
      return isConcurrentReindex(kind, body) || reindexesMany(body) ? 'REINDEX' : null
    case 'DiscardStmt':
      return body.target === 'DISCARD_ALL' ? 'DISCARD ALL' : null
    case 'VacuumStmt':
      return body.is_vacuumcmd === true ? 'VACUUM' : null
    case 'ClusterStmt':
      return body.relation === undefined ? 'CLUSTER without a table' : null
    case 'AlterTableStmt':
      return JSON.stringify(body.cmds).includes('"concurrent":true') ? 'DETACH PARTITION CONCURRENTLY' : null
    case 'AlterDatabaseStmt':
      return JSON.stringify(body.options).includes('"tablespace"') ? 'ALTER DATABASE … SET TABLESPACE' : null
    default:
      return ALWAYS_OUTSIDE[kind] ?? null
  }
}

const ALWAYS_OUTSIDE: Readonly<Record<string, string>> = {
  CreatedbStmt: 'CREATE DATABASE',
  DropdbStmt: 'DROP DATABASE',
  CreateTableSpaceStmt: 'CREATE TABLESPACE',
  DropTableSpaceStmt: 'DROP TABLESPACE',
  AlterSystemStmt: 'ALTER SYSTEM',
}

function isConcurrentReindex(kind: string, body: Fields): boolean {
  return kind === 'ReindexStmt' && JSON.stringify(body.params ?? []).includes('"concurrently"')
}

function concurrentIndex(kind: string, body: Fields): ConcurrentIndex | null {
  if (kind === 'IndexStmt' && body.concurrent === true) {
    const index = textOf(body.idxname)
    return { action: 'create', relation: relationOf(body.relation), index, isNew: body.if_not_exists !== true }
  }
  if (isConcurrentReindex(kind, body))
    return { action: 'reindex', relation: relationOf(body.relation), index: null, isNew: false }
  if (kind === 'DropStmt' && body.concurrent === true)
    return { action: 'drop', relation: droppedIndex(body.objects), index: null, isNew: false }
  return null
}

function relationOf(node: unknown): ConcurrentIndex['relation'] {
  const { schemaname, relname } = asFields(node)
  const name = textOf(relname)
  return name === null ? null : { schema: textOf(schemaname), name }
}

/** `{ List: { items: [{ String: { sval } }, …] } }`: schema and name, or name alone. */
function droppedIndex(objects: unknown): ConcurrentIndex['relation'] {
  const [object] = Array.isArray(objects) ? (objects as readonly unknown[]) : []
  const items = asFields(asFields(object).List).items
  const names = (Array.isArray(items) ? (items as readonly unknown[]) : []).map((item) =>
    textOf(asFields(asFields(item).String).sval),
  )
  const name = names.at(-1) ?? null
  return name === null ? null : { schema: names.at(-2) ?? null, name }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function reindexesMany(body: Fields): boolean {
  return body.kind !== 'REINDEX_OBJECT_TABLE' && body.kind !== 'REINDEX_OBJECT_INDEX'
}

function asFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}
