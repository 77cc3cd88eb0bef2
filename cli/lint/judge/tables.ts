import type { HazardId } from '../../../lambda/engine/hazards/hazard.ts'
import {
  alterActions,
  constraintsOf,
  relationIn,
  type AlterAction,
} from '../../../lambda/engine/migration/parse-tree.ts'
import { blocksWrites, nameOf, type Observation, type Relation } from '../observation.ts'
import { concurrently, concurrentlyAtEnd, notNullByCheck, notValidFirst } from '../safe-sql.ts'
import { emptiedByCode, OPAQUE } from './code.ts'
import {
  behaviourCascades,
  found,
  isConcurrent,
  isNamed,
  listed,
  lockOn,
  lockText,
  quotedIn,
  subjectOf,
  underLock,
  withoutPartitions,
  type Found,
} from './found.ts'

/** Rewrites, scans and partitions. */
export function judgeTables(observation: Observation): readonly Found[] {
  return [
    ...judgeRewritten(observation),
    ...judgeVerified(observation),
    ...judgeForeignKeys(observation),
    ...judgePartitions(observation),
  ]
}

function judgeRewritten(observation: Observation): readonly Found[] {
  const { rewritten, statement } = observation
  if (rewritten.length === 0) return []
  if (statement.kind === 'TruncateStmt') return judgeTruncated(observation)
  if (OPAQUE.has(statement.kind)) return judgeHidden(observation)
  const subject = subjectOf(rewritten, observation)
  const indexes = new Set(
    [...observation.reindexed, ...observation.built.map(({ index }) => index)].map(({ oid }) => oid),
  ).size
  const detail = `rewrites ${listed(rewritten)}${indexes === 0 ? '' : ` and ${indexes} ${indexes === 1 ? 'index' : 'indexes'}`}`
  if (statement.kind === 'RefreshMatViewStmt') {
    return [
      found(
        'materialized-view-refreshed',
        subject,
        detail,
        concurrently(statement, /^(REFRESH\s+MATERIALIZED\s+VIEW)\b/i),
      ),
    ]
  }
  // VACUUM FULL and CLUSTER may name none of them: each is of another size.
  const subjects = subject !== null && isNamed(subject, observation) ? [subject] : withoutPartitions(rewritten)
  const id = rewriteOf(alterActions(statement.fields))
  return subjects.map((table) => found(id, table, `${detail}${underLock(table, observation)}`))
}

/** Of the tables that code empties or rewrites, each by itself: they are of different sizes. */
function judgeHidden(observation: Observation): readonly Found[] {
  const emptied = emptiedByCode(observation)
  return withoutPartitions(observation.rewritten).map((table) =>
    emptied.includes(table)
      ? found('table-truncated', table, `empties ${nameOf(table)}`)
      : found('rewrite-table', table, `rewrites ${nameOf(table)}${underLock(table, observation)}`),
  )
}

function rewriteOf(actions: readonly AlterAction[]): HazardId {
  const types = new Set(actions.map(({ type }) => type))
  if (types.has('AT_AlterColumnType')) return 'rewrite-column-type'
  const isGenerated = actions.some((action) =>
    constraintsOf(action).some(({ contype }) => contype === 'CONSTR_GENERATED'),
  )
  if (isGenerated || types.has('AT_SetExpression')) return 'rewrite-generated-column'
  if (types.has('AT_AddColumn')) return 'rewrite-column-default'
  return types.has('AT_SetLogged') || types.has('AT_SetUnLogged') ? 'rewrite-logged' : 'rewrite-table'
}

function judgeTruncated(observation: Observation): readonly Found[] {
  const { rewritten, statement } = observation
  const named = (statement.fields.relations as readonly { readonly RangeVar?: unknown }[] | undefined) ?? []
  const isMeant = (relation: Relation): boolean =>
    named.some(({ RangeVar: range }) => relationIn(range)?.name === relation.name) || relation.isPartition
  const meant = rewritten.filter(isMeant)
  const others = rewritten.filter((relation) => !isMeant(relation))
  const subject = meant[0] ?? rewritten[0] ?? null
  if (others.length === 0 || !behaviourCascades(observation)) {
    return [found('table-truncated', subject, `empties ${listed(rewritten)}`)]
  }
  return [found('truncate-cascades', subject, `empties ${listed(meant)}, and ${listed(others)} with it`)]
}

/** "verifying table" is said of no other scan than that of ALTER TABLE and of what becomes a partition. */
function judgeVerified(observation: Observation): readonly Found[] {
  const { scanned, statement, rewritten } = observation
  const names = quotedIn(observation, /^verifying table "(.+)"$/)
  // Of the scan of a default partition nothing is said where the new one is created in its place.
  const isPart = statement.kind === 'CreateStmt' && statement.fields.partbound !== undefined
  const verified = isPart ? scanned : scanned.filter(({ name }) => names.includes(name))
  if (statement.kind === 'AlterDomainStmt') return judgeDomain(observation)
  if (verified.length === 0 || rewritten.length > 0) return []
  const subject = subjectOf(verified, observation)
  const detail = `scans ${listed(verified)}${underLock(subject, observation)}`
  const actions = alterActions(statement.fields)
  const has = (type: string): boolean => actions.some((action) => action.type === type)
  if (has('AT_AttachPartition') || isPart) {
    const scanOf = verified.find((relation) => !isNamed(relation, observation)) ?? null
    return [found('partition-attached', scanOf, `scans ${listed(verified)} under ACCESS EXCLUSIVE`)]
  }
  if (has('AT_ValidateConstraint')) return judgeValidated(observation, verified)
  if (has('AT_SetNotNull') || demandsNotNull(actions))
    return [found('set-not-null-scans', subject, detail, notNullByCheck(statement))]
  return failsOnRows(actions) ? [] : [found('check-constraint-validated', subject, detail, notValidFirst(statement))]
}

/** A new column that is NOT NULL and has no default finds its first row, and fails. */
function failsOnRows(actions: readonly AlterAction[]): boolean {
  const types = actions.flatMap(constraintsOf).map(({ contype }) => contype)
  return (
    types.includes('CONSTR_NOTNULL') &&
    !types.includes('CONSTR_CHECK') &&
    actions.some(({ type }) => type === 'AT_AddColumn')
  )
}

/** NOT NULL, or a PRIMARY KEY of columns that may be NULL so far. */
function demandsNotNull(actions: readonly AlterAction[]): boolean {
  return actions.some((action) => {
    const contype = action.type === 'AT_AddConstraint' ? constraintsOf(action)[0]?.contype : null
    return contype === 'CONSTR_NOTNULL' || contype === 'CONSTR_PRIMARY'
  })
}

function judgeDomain(observation: Observation): readonly Found[] {
  const locked = observation.scanned.filter((relation) => isLockedAgainstWrites(relation, observation))
  if (locked.length === 0) return []
  const { sql } = observation.statement
  const safe = /\bADD\b/i.test(sql) ? `${sql} NOT VALID;` : null
  return [found('domain-constraint-validated', locked[0] ?? null, `scans ${listed(locked)} under SHARE`, safe)]
}

function isLockedAgainstWrites(relation: Relation, { locks, held }: Observation): boolean {
  return [...locks, ...held].some((lock) => lock.relation.oid === relation.oid && blocksWrites(lock.mode))
}

/** VALIDATE itself lets others write. */
function judgeValidated(observation: Observation, scanned: readonly Relation[]): readonly Found[] {
  const closed = scanned.filter((relation) => isLockedAgainstWrites(relation, observation))
  const [first] = closed
  if (first === undefined) return []
  const lock = lockOn(first, { ...observation, locks: [] })
  return [
    found(
      'validated-under-lock',
      first,
      `scans ${listed(closed)} while ${lock === null ? 'it is locked' : `${lockText(lock)} is held`}`,
    ),
  ]
}

function judgeForeignKeys(observation: Observation): readonly Found[] {
  const { scanned, statement } = observation
  if (quotedIn(observation, /^validating foreign key constraint "(.+)"$/).length === 0 || scanned.length === 0)
    return []
  const actions = alterActions(statement.fields)
  if (actions.some(({ type }) => type === 'AT_ValidateConstraint')) return judgeValidated(observation, scanned)
  const subject = subjectOf(scanned, observation)
  const locks = observation.locks.filter(({ mode }) => blocksWrites(mode)).map(lockText)
  return [
    found(
      'foreign-key-validated',
      subject,
      `scans ${listed(scanned)} under ${locks.slice(0, 3).join(' and ')}`,
      notValidFirst(statement),
    ),
  ]
}

function judgePartitions(observation: Observation): readonly Found[] {
  const { statement, locks } = observation
  const exclusive = locks.filter(({ mode }) => mode === 'AccessExclusiveLock').map(({ relation }) => relation)
  if (statement.kind === 'CreateStmt' && statement.fields.partbound !== undefined && exclusive.length > 0) {
    return [found('partition-created', exclusive[0] ?? null, `takes ACCESS EXCLUSIVE on ${listed(exclusive)}`)]
  }
  const detach = alterActions(statement.fields).find(({ type }) => type === 'AT_DetachPartition')
  if (detach === undefined || exclusive.length === 0 || isConcurrent(statement)) return []
  return [
    found(
      'partition-detached',
      subjectOf(exclusive, observation),
      `takes ACCESS EXCLUSIVE on ${listed(exclusive)}`,
      concurrentlyAtEnd(statement),
    ),
  ]
}
