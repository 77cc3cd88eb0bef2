import type { HazardId } from '../../../lambda/engine/hazards/hazard.ts'
import { blocksReads, type Observation } from '../observation.ts'
import { addConstraintUsingIndex, concurrently } from '../safe-sql.ts'
import {
  behaviourCascades,
  found,
  isConcurrent,
  isNamed,
  listed,
  lockOn,
  subjectOf,
  underLock,
  type Found,
} from './found.ts'

/** What a statement does to indexes of tables that were there before. */
export function judgeIndexes(observation: Observation): readonly Found[] {
  return [...judgeBuilt(observation), ...judgeDropped(observation), ...judgeReindexed(observation)]
}

function judgeBuilt(observation: Observation): readonly Found[] {
  const { built, rewritten, statement } = observation
  // A rewrite says more; the index of a partitioned table alone is only a name.
  if (built.every(({ index }) => index.file === 0) || isConcurrent(statement) || rewritten.length > 0) return []
  const table = subjectOf(
    built.map((entry) => entry.table),
    observation,
  )
  if (table === null) return []
  const lock = lockOn(table, observation)
  const indexes = listed(built.map(({ index }) => index))
  const detail = `builds ${indexes}${underLock(table, observation)}`
  const id = idOfBuild(observation, lock !== null && blocksReads(lock.mode))
  // The index of a partitioned table cannot be built concurrently.
  const isPartitioned = built.some(({ index }) => index.file === 0)
  return [found(id, table, detail, isPartitioned ? null : safeBuild(id, observation))]
}

/** A change of type makes the indexes of the column anew, without a word of a constraint. */
function idOfBuild({ messages, statement }: Observation, exclusive: boolean): HazardId {
  const kinds = messages.flatMap(({ text }) => /\/ ADD (.+) will create implicit index/.exec(text)?.[1] ?? [])
  if (kinds.includes('EXCLUDE')) return 'exclusion-constraint-builds-index'
  if (kinds.length > 0) return 'unique-constraint-builds-index'
  return exclusive && statement.kind === 'AlterTableStmt' ? 'rewrite-column-type' : 'index-not-concurrent'
}

function safeBuild(id: HazardId, { statement }: Observation): string | null {
  if (id === 'index-not-concurrent') return concurrently(statement, /^(CREATE\s+(?:UNIQUE\s+)?INDEX)\b/i)
  return id === 'unique-constraint-builds-index' ? addConstraintUsingIndex(statement) : null
}

/** An index goes with its table, its column and its constraint. */
function judgeDropped(observation: Observation): readonly Found[] {
  const { dropped, statement } = observation
  if (isConcurrent(statement) || statement.kind === 'AlterTableStmt') return []
  const gone = new Set(dropped.map(({ oid }) => oid))
  const indexes = dropped.filter(({ kind, table }) => kind === 'index' && table !== null && !gone.has(table))
  if (indexes.length === 0) return []
  const tables = observation.locks
    .map(({ relation }) => relation)
    .filter(({ oid }) => indexes.some(({ table }) => table === oid))
  const detail = `drops ${listed(indexes)}${tables.length === 0 ? '' : ` under ACCESS EXCLUSIVE on ${listed(tables)}`}`
  // CONCURRENTLY drops one, and nothing with it.
  const isOne = indexes.length === 1 && !behaviourCascades(observation)
  const safe = isOne ? concurrently(statement, /^(DROP\s+INDEX)\b/i) : null
  return [found('index-dropped-not-concurrent', tables[0] ?? null, detail, safe)]
}

function judgeReindexed(observation: Observation): readonly Found[] {
  const { reindexed, rewritten, statement } = observation
  if (reindexed.length === 0 || rewritten.length > 0 || isConcurrent(statement)) return []
  if (statement.kind === 'TruncateStmt') return []
  const owners = observation.locks
    .map(({ relation }) => relation)
    .filter(({ oid }) => reindexed.some(({ table }) => table === oid))
  const table = owners.find((owner) => isNamed(owner, observation)) ?? owners[0] ?? null
  return [
    found(
      'reindex-not-concurrent',
      table,
      `rebuilds ${listed(reindexed)}${underLock(table, observation)}`,
      concurrently(statement, /^(REINDEX\s+(?:TABLE|INDEX))\b/i),
    ),
  ]
}
