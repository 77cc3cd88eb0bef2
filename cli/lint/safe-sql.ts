import { quoteIdentifier } from '../../lambda/engine/database.ts'
import {
  alterActions,
  namesIn,
  nodeOf,
  relationIn,
  textOf,
  treeOf,
  type AlterAction,
  type Fields,
} from '../../lambda/engine/migration/parse-tree.ts'
import type { ObservedStatement, Relation } from './observation.ts'

/** The statement with CONCURRENTLY behind what `head` finds at its beginning. */
export function concurrently({ sql }: ObservedStatement, head: RegExp): string | null {
  return head.test(sql) ? `-- migrate:up transaction:false\n${sql.replace(head, '$1 CONCURRENTLY')};` : null
}

/** UNIQUE or PRIMARY KEY by an index that is built beforehand. */
export function addConstraintUsingIndex(statement: ObservedStatement): string | null {
  const table = tableOf(statement)
  const constraint = onlyConstraint(statement)
  if (table === null || constraint === null) return null
  const type = constraint.contype === 'CONSTR_PRIMARY' ? 'PRIMARY KEY' : 'UNIQUE'
  const columns = namesIn(constraint.keys)
  if (columns.length === 0 || constraint.including !== undefined || constraint.nulls_not_distinct === true) return null
  const name = quoted(
    textOf(constraint.conname) ?? `${table.name}_${type === 'UNIQUE' ? `${columns.join('_')}_key` : 'pkey'}`,
  )
  return [
    '-- migrate:up transaction:false',
    `CREATE UNIQUE INDEX CONCURRENTLY ${name} ON ${table.text} (${columns.map(quoted).join(', ')});`,
    `ALTER TABLE ${table.text} ADD CONSTRAINT ${name} ${type} USING INDEX ${name};`,
  ].join('\n')
}

/** CHECK or FOREIGN KEY in two migrations. */
export function notValidFirst(statement: ObservedStatement): string | null {
  const table = tableOf(statement)
  const constraint = onlyConstraint(statement)
  const name = constraint === null ? null : textOf(constraint.conname)
  if (table === null || name === null) return null
  return [
    `${statement.sql} NOT VALID;`,
    '-- in a later migration:',
    `ALTER TABLE ${table.text} VALIDATE CONSTRAINT ${quoted(name)};`,
  ].join('\n')
}

/** SET NOT NULL by way of a check that is verified beforehand. */
export function notNullByCheck(statement: ObservedStatement): string | null {
  const table = tableOf(statement)
  const action = alterActions(statement.fields).find(({ type }) => type === 'AT_SetNotNull')
  const column = action === undefined ? null : textOf(action.fields.name)
  if (table === null || column === null) return null
  const check = quoted(`${table.name}_${column}_not_null`)
  return [
    `ALTER TABLE ${table.text} ADD CONSTRAINT ${check} CHECK (${quoted(column)} IS NOT NULL) NOT VALID;`,
    '-- in a later migration:',
    `ALTER TABLE ${table.text} VALIDATE CONSTRAINT ${check};`,
    '-- in one after that:',
    // Not in one statement: the check would be gone before it is taken for proof.
    `ALTER TABLE ${table.text} ALTER COLUMN ${quoted(column)} SET NOT NULL;`,
    `ALTER TABLE ${table.text} DROP CONSTRAINT ${check};`,
  ].join('\n')
}

/** A statement whose last word is CONCURRENTLY. */
export function concurrentlyAtEnd({ sql }: ObservedStatement): string {
  return `-- migrate:up transaction:false\n${sql} CONCURRENTLY;`
}

/** The constraint, where the statement does nothing else. */
function onlyConstraint({ fields }: ObservedStatement): Fields | null {
  const actions: readonly AlterAction[] = alterActions(fields)
  const [action] = actions
  if (actions.length !== 1 || action?.type !== 'AT_AddConstraint') return null
  return nodeOf(action.fields.def).fields
}

function tableOf({ fields }: ObservedStatement): { readonly name: string; readonly text: string } | null {
  const named = relationIn(fields.relation)
  if (named === null) return null
  const text = [named.schema, named.name].flatMap((part) => (part === null ? [] : [quoted(part)])).join('.')
  return { name: named.name, text }
}

/** A relation as a statement writes it. */
export function quotedName({ schema, name }: Pick<Relation, 'schema' | 'name'>): string {
  return `${quoted(schema)}.${quoted(name)}`
}

/** Quoted only where it must be. */
function quoted(name: string): string {
  const isPlain = /^[a-z_][a-z0-9_]*$/.test(name) && treeOf(`ALTER TABLE t DROP COLUMN ${name}`).kind !== ''
  return isPlain ? name : quoteIdentifier(name)
}
