import type { HazardId } from '../../../lambda/engine/hazards/hazard.ts'
import { relationIn, someNode, textOf } from '../../../lambda/engine/migration/parse-tree.ts'
import {
  modeName,
  nameOf,
  type HeldLock,
  type Observation,
  type ObservedStatement,
  type Relation,
} from '../observation.ts'

/** A hazard of one statement, before it is known what the file allows. */
export interface Found {
  readonly id: HazardId
  readonly relation: string | null
  readonly detail: string
  readonly safe: string | null
}

export function found(
  id: HazardId,
  relation: Pick<Relation, 'schema' | 'name'> | null,
  detail: string,
  safe: string | null = null,
): Found {
  return { id, relation: relation === null ? null : nameOf(relation), detail, safe }
}

/** Names in a sentence; more than a few are counted. */
export function listed(relations: readonly Pick<Relation, 'schema' | 'name'>[]): string {
  const names = relations.map(nameOf)
  const shown = names.slice(0, 3).join(', ')
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown
}

/** Whether the relation is the one that the statement names. */
export function isNamed(relation: Relation, { statement }: Observation): boolean {
  const named = relationIn(statement.fields.relation)
  if (named === null || named.name !== relation.name) return false
  return named.schema === null || named.schema === relation.schema
}

/** A partitioned table stands for its partitions, and what the statement names comes first. */
export function subjectOf(relations: readonly Relation[], observation: Observation): Relation | null {
  const named = [...relations, ...observation.locks.map(({ relation }) => relation)].find((relation) =>
    isNamed(relation, observation),
  )
  return named ?? relations.find(({ isPartition }) => !isPartition) ?? relations[0] ?? null
}

/** Partitions go with their parent. */
export function withoutPartitions(relations: readonly Relation[]): readonly Relation[] {
  const others = relations.filter(({ isPartition }) => !isPartition)
  return others.length > 0 ? others : relations
}

export function lockText({ relation, mode }: HeldLock): string {
  return `${modeName(mode)} on ${nameOf(relation)}`
}

/** ` under SHARE`; empty where the relation is not locked. */
export function underLock(relation: Relation | null, observation: Observation): string {
  const lock = relation === null ? null : lockOn(relation, observation)
  return lock === null ? '' : ` under ${modeName(lock.mode)}`
}

/** The lock that the transaction has on the relation by now, and how it is called. */
export function lockOn(relation: Relation, { locks, held }: Observation): HeldLock | null {
  return [...locks, ...held].find((lock) => lock.relation.oid === relation.oid) ?? null
}

export function behaviourCascades(observation: Observation): boolean {
  return textOf(observation.statement.fields.behavior) === 'DROP_CASCADE'
}

/** Names that the server's messages of one form give in quotes. */
export function quotedIn(observation: Observation, form: RegExp): readonly string[] {
  return observation.messages.flatMap(({ text }) => form.exec(text)?.[1] ?? [])
}

/** Whether the statement says CONCURRENTLY, and so lets others work. */
export function isConcurrent({ kind, fields }: ObservedStatement): boolean {
  switch (kind) {
    case 'IndexStmt':
    case 'DropStmt':
      return fields.concurrent === true
    case 'ReindexStmt':
      return someNode(fields.params, (name, node) => name === 'DefElem' && node.defname === 'concurrently')
    case 'AlterTableStmt':
      return someNode(fields.cmds, (name, node) => name === 'PartitionCmd' && node.concurrent === true)
    default:
      return false
  }
}
