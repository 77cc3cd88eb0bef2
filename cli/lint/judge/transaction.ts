import { alterActions, fieldsOf, relationIn } from '../../../lambda/engine/migration/parse-tree.ts'
import { blocksWrites, modeName, nameOf, type HeldLock, type Observation, type Relation } from '../observation.ts'
import { OPAQUE } from './code.ts'
import { found, isNamed, listed, lockText, type Found } from './found.ts'

const ROW_CHANGES = new Set(['UpdateStmt', 'DeleteStmt', 'MergeStmt', 'InsertStmt'])

/** Whether the statement changes rows by looking at others, rather than by naming their values. */
function changesManyRows({ statement: { kind, fields } }: Observation): boolean {
  if (kind !== 'InsertStmt') return ROW_CHANGES.has(kind)
  const select = fieldsOf(fieldsOf(fields.selectStmt).SelectStmt)
  return select.valuesLists === undefined && Object.keys(select).length > 0
}

/** UPDATE and its kin behind a statement that has locked a table. */
export function judgeBackfill(observation: Observation): readonly Found[] {
  const closed = observation.held.filter(({ mode }) => blocksWrites(mode))
  if (closed.length === 0 || !changesManyRows(observation)) return []
  const target = [...observation.locks, ...observation.held].find(({ relation }) => isNamed(relation, observation))
  if (target === undefined) return []
  const verb = observation.statement.kind.replace(/Stmt$/, '').toUpperCase()
  return [
    found(
      'backfill-with-schema-change',
      target.relation,
      `${verb} of ${nameOf(target.relation)} while ${texts(closed)} ${closed.length === 1 ? 'is' : 'are'} held`,
    ),
  ]
}

/** What keeps an earlier lock longer than its own statement needed it. */
export function judgeAfterLock(observation: Observation, others: readonly Found[]): readonly Found[] {
  const closed = observation.held.filter(({ mode }) => mode === 'AccessExclusiveLock')
  const [first] = closed
  const said = others.some(({ id }) => id === 'backfill-with-schema-change' || id === 'validated-under-lock')
  if (first === undefined || said) return []
  const does = slowPart(observation, closed)
  return does === null
    ? []
    : [found('statements-after-exclusive-lock', first.relation, `${texts(closed)} is held while this ${does}`)]
}

function slowPart(
  { rewritten, built, reindexed, scanned, locks }: Observation,
  closed: readonly HeldLock[],
): string | null {
  if (rewritten.length > 0) return `rewrites ${listed(rewritten)}`
  if (built.length > 0) return `builds ${listed(built.map(({ index }) => index))}`
  if (reindexed.length > 0) return `rebuilds ${listed(reindexed)}`
  if (scanned.length > 0) return `scans ${listed(scanned)}`
  const other = locks.find(
    ({ relation, mode }) => blocksWrites(mode) && relation.kind !== 'index' && isOther(relation, closed),
  )
  return other === undefined ? null : `waits for ${lockText(other)}`
}

/** Partitions, and the indexes of a table, are one thing with it. */
function isOther(relation: Relation, closed: readonly HeldLock[]): boolean {
  return !relation.isPartition && closed.every((lock) => lock.relation.oid !== relation.oid)
}

function texts(locks: readonly HeldLock[]): string {
  const [first] = locks
  const rest = locks.length > 1 ? ` and ${locks.length - 1} more` : ''
  return first === undefined ? '' : `${lockText(first)}${rest}`
}

/** A lock that no definition explains. */
export function judgeExplicitLock(observation: Observation, others: readonly Found[]): readonly Found[] {
  const { locks, statement } = observation
  const closed = locks.filter(({ mode }) => blocksWrites(mode))
  const [first] = closed
  if (first === undefined || others.length > 0 || !OPAQUE.has(statement.kind)) return []
  return [found('explicit-lock', first.relation, `takes ${texts(closed)}`)]
}

/** Lockstep sets its own; it is 0 only where the migration says so. */
export function judgeTimeout({ locks, lockTimeoutMs }: Observation): readonly Found[] {
  const closed = locks.filter(({ mode }) => blocksWrites(mode))
  const [first] = closed
  if (lockTimeoutMs !== 0 || first === undefined) return []
  return [found('lock-timeout-disabled', first.relation, `waits for ${texts(closed)} with lock_timeout = 0`)]
}

const TRIGGER_ACTIONS = /^AT_(?:Enable|Disable)(?:Always|Replica)?Trig(?:All|User)?$/

/** Triggers have no place in the relations: the statement says it, and its lock on whom. */
export function judgeTrigger(observation: Observation): readonly Found[] {
  const { statement, locks, held } = observation
  const { kind, fields } = statement
  const isTrigger =
    kind === 'CreateTrigStmt' ||
    (kind === 'DropStmt' && fields.removeType === 'OBJECT_TRIGGER') ||
    alterActions(fields).some(({ type }) => TRIGGER_ACTIONS.test(type))
  if (!isTrigger) return []
  const lock = [...locks, ...held].find(({ mode, relation }) => blocksWrites(mode) && relation.kind !== 'index')
  return lock === undefined
    ? []
    : [found('trigger-changed', lock.relation, `takes ${modeName(lock.mode)} on ${nameOf(lock.relation)}`)]
}

/** Actions that could stand in one ALTER TABLE with those before them. */
const JOINABLE = new Set([
  'AT_AddColumn',
  'AT_DropColumn',
  'AT_ColumnDefault',
  'AT_AlterColumnType',
  'AT_DropNotNull',
  'AT_SetStatistics',
  'AT_SetStorage',
])

/** Consecutive ALTER TABLE statements on one table. */
export function judgeSeveralAlters(observation: Observation, previous: Observation | undefined): readonly Found[] {
  const table = joinableTable(observation)
  if (table === null || previous === undefined) return []
  const before = joinableTable(previous)
  if (before === null || before.name !== table.name || before.schema !== table.schema) return []
  const lock = [...observation.locks, ...observation.held].find(({ relation }) => isNamed(relation, observation))
  return lock === undefined
    ? []
    : [found('several-alter-tables', lock.relation, `alters ${nameOf(lock.relation)} again`)]
}

function joinableTable({ statement: { kind, fields } }: Observation): ReturnType<typeof relationIn> {
  const actions = alterActions(fields)
  return kind === 'AlterTableStmt' && actions.every(({ type }) => JOINABLE.has(type))
    ? relationIn(fields.relation)
    : null
}
