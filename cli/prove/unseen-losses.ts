import { treeOf, type NamedRelation } from '../../lambda/engine/migration/parse-tree.ts'
import { rowChangesIn, type RowChange } from '../../lambda/engine/hazards/row-changes.ts'
import type { Step } from '../../lambda/engine/plan/step.ts'
import type { CatalogState } from '../catalog/read-catalog.ts'
import type { Moment } from './trial.ts'

/**
 * What an up does to rows where there were none to see whether the down brings them back: rows that it deletes or
 * overwrites, and values that it converts into a type that may not hold them.
 */
export function unseenLosses(up: Step, beforeUp: Moment, afterUp: Moment): readonly string[] {
  const isEmpty = (table: string): boolean => !beforeUp.content.has(table)
  const changes = up.kind === 'sql' ? up.statements.flatMap(({ sql }) => rowChangesIn(treeOf(sql))) : []
  const rows = changes.flatMap((change) => {
    const found = tableNamed(beforeUp.schema, change.table)
    return found === null || !isEmpty(found.name) ? [] : lossOf(change, found)
  })
  return [...new Set([...rows, ...conversions(beforeUp.schema, afterUp.schema, isEmpty)])]
}

interface Table {
  readonly name: string
  readonly columns: ReadonlySet<string>
}

/** Which schema is meant, where none is named, does not matter much: it is a table of that name. */
function tableNamed({ relations }: CatalogState, { schema, name }: NamedRelation): Table | null {
  for (const relation of relations.values()) {
    const isMeant = schema === null ? relation.name.endsWith(`.${name}`) : relation.name === `${schema}.${name}`
    if (isMeant && relation.entry.lines.some((line) => TABLE.test(line)))
      return { name: relation.name, columns: new Set(Object.values(JSON.parse(relation.columns) as object)) }
  }
  return null
}

const TABLE = /^(?:partitioned )?table /

function lossOf({ does, columns }: RowChange, table: Table): readonly string[] {
  if (does === 'delete') return [`- rows of ${table.name}: the up deletes some, and none were there to be brought back`]
  const known = columns?.filter((column) => table.columns.has(column)) ?? [...table.columns]
  return known.map(
    (column) => `- values of ${table.name}.${column}: the up overwrites them, and none were there to be brought back`,
  )
}

function conversions(
  before: CatalogState,
  after: CatalogState,
  isEmpty: (table: string) => boolean,
): readonly string[] {
  return [...before.relations].flatMap(([id, { name, entry }]) => {
    const now = after.relations.get(id)
    if (now === undefined || !isEmpty(name) || !entry.lines.some((line) => TABLE.test(line))) return []
    const types = typesOf(now.entry.lines)
    return [...typesOf(entry.lines)].flatMap(([column, type]) => {
      const other = types.get(column)
      if (other === undefined || other === type || isWider(type, other)) return []
      return [
        `- values of ${name}.${column}: the up converts ${type} to ${other}, and none were there to be brought back`,
      ]
    })
  })
}

const COLUMN =
  /^column ("(?:[^"]|"")+"|\S+) (.+?)(?: (?:collate|not null|default|generated|identity|storage|compression|statistics|options|fdw|local|acl)(?: .*)?)?$/s

function typesOf(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    lines.flatMap((line) => {
      const [, column, type] = COLUMN.exec(line) ?? []
      return column === undefined || type === undefined ? [] : [[column, type] as const]
    }),
  )
}

/** What the one holds, the other does, and gives back. */
const WIDER: readonly (readonly [from: RegExp, to: RegExp])[] = [
  [/^smallint$/, /^(?:integer|bigint|numeric)$/],
  [/^integer$/, /^(?:bigint|numeric|double precision)$/],
  [/^bigint$/, /^numeric$/],
  [/^numeric\(.*\)$/, /^numeric$/],
  [/^real$/, /^double precision$/],
  [/^date$/, /^timestamp without time zone$/],
  [/^(?:text|character varying(?:\(\d+\))?)$/, /^(?:text|character varying)$/],
  [/^(?:uuid|inet|cidr|macaddr|boolean|smallint|integer|bigint)$/, /^(?:text|character varying)$/],
]

/** Whether a value can be converted and back, and is the same. */
function isWider(from: string, to: string): boolean {
  const [short, long] = [lengthOf(from), lengthOf(to)]
  if (short !== null && long !== null && short <= long) return true
  return WIDER.some(([narrow, wide]) => narrow.test(from) && wide.test(to))
}

function lengthOf(type: string): number | null {
  const [, length] = /^character varying\((\d+)\)$/.exec(type) ?? []
  return length === undefined ? null : Number(length)
}
