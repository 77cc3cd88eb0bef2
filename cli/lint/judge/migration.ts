import { namesIn, nodeOf, textOf } from '../../../lambda/engine/migration/parse-tree.ts'
import { newIn, type Aftermath } from '../aftermath.ts'
import type { Catalog } from '../catalog.ts'
import { nameOf, type Observation } from '../observation.ts'
import { droppedObjects, jsonColumn } from './clients.ts'
import { found, type Found } from './found.ts'

/** A hazard, and the statement that it is of; null for the migration as a whole. */
export interface Placed extends Found {
  readonly observation: Observation | null
}

/** What holds only when the migration has ended. */
export interface End {
  readonly observations: readonly Observation[]
  readonly catalog: Catalog
  readonly aftermath: { readonly before: Aftermath; readonly after: Aftermath }
}

export function judgeEnd(end: End): readonly Placed[] {
  return [...end.observations.flatMap((observation) => judgeGone(observation, end)), ...judgeAftermath(end)]
}

const TYPES = ['OBJECT_TYPE', 'OBJECT_DOMAIN']
const FUNCTIONS = ['OBJECT_FUNCTION', 'OBJECT_PROCEDURE', 'OBJECT_ROUTINE', 'OBJECT_AGGREGATE']

/** What is dropped and made anew in the same migration is replaced. */
function judgeGone(observation: Observation, { observations, catalog }: End): readonly Placed[] {
  const names = new Set([...catalog.relations.values()].map(nameOf))
  const views = observation.dropped.filter(({ kind }) => kind === 'view' || kind === 'materialized view')
  const skipped = observation.messages.some(({ text }) => text.endsWith('does not exist, skipping'))
  const gone = (types: readonly string[]): readonly string[] =>
    skipped
      ? []
      : droppedObjects(observation, types).filter((name) => !observations.some((other) => makes(other, name)))
  return [
    ...views
      .filter((view) => !names.has(nameOf(view)))
      .map((view) => found('view-dropped', view, `drops ${nameOf(view)}`)),
    ...gone(TYPES).map((name) => found('type-dropped', null, `drops the type ${name}`)),
    ...gone(FUNCTIONS).map((name) => found('function-dropped', null, `drops the function ${name}`)),
    ...observation.created
      .filter(({ kind }) => kind === 'table')
      .flatMap((table) =>
        [...table.columns.values()].filter(({ type }) => type === 'json').map((column) => jsonColumn(table, column)),
      ),
  ].map((each) => ({ ...each, observation }))
}

/** By the last part of the name: how a statement qualifies it says little of where it is. */
function makes({ statement: { kind, fields } }: Observation, name: string): boolean {
  const made =
    kind === 'CreateFunctionStmt'
      ? namesIn(fields.funcname)
      : kind === 'CreateDomainStmt'
        ? namesIn(fields.domainname)
        : kind === 'CompositeTypeStmt'
          ? [textOf(nodeOf({ RangeVar: fields.typevar }).fields.relname) ?? '']
          : namesIn(fields.typeName)
  return made.at(-1) === name.split('.').at(-1)
}

function judgeAftermath({ aftermath: { before, after }, observations }: End): readonly Placed[] {
  const place = (relation: string): Observation | null =>
    observations.findLast(({ created, locks, built }) =>
      [...created, ...built.map(({ index }) => index), ...locks.map((lock) => lock.relation)].some(
        (each) => nameOf(each) === relation,
      ),
    ) ?? null
  const placed = (relation: string, found: Omit<Found, 'relation'>): Placed => ({
    ...found,
    relation,
    observation: place(relation),
  })
  return [
    ...newIn(after.unindexedKeys, before.unindexedKeys).map(({ relation, name, columns, target }) =>
      placed(relation, {
        id: 'foreign-key-without-index',
        detail: `${name} of ${relation} (${columns.join(', ')}) has no index`,
        safe: `-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY ON ${target};`,
      }),
    ),
    ...newIn(after.keylessTables, before.keylessTables).map(({ relation }) =>
      placed(relation, { id: 'table-without-primary-key', detail: `${relation} has no primary key`, safe: null }),
    ),
    ...newIn(after.invalidIndexes, before.invalidIndexes).map(({ relation, name }) =>
      placed(relation, { id: 'invalid-index-left', detail: `the index ${name} of ${relation} is invalid`, safe: null }),
    ),
  ]
}
