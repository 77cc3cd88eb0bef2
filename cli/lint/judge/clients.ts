import { fieldsOf, textOf } from '../../../lambda/engine/migration/parse-tree.ts'
import { quotedName } from '../safe-sql.ts'
import { nameOf, type Change, type Column, type Observation, type Relation } from '../observation.ts'
import { judgeCode } from './code.ts'
import { found, withoutPartitions, type Found } from './found.ts'
import { judgeRows } from './rows.ts'

/** What a statement breaks for the code that is running, and what it loses. */
export function judgeClients(observation: Observation): readonly Found[] {
  return [
    ...judgeSchemas(observation),
    ...judgeNames(observation),
    ...judgeColumns(observation),
    ...judgeDropped(observation),
    ...judgeCascade(observation),
    ...judgeEnum(observation),
    ...judgeRows(observation),
    ...judgeCode(observation),
  ]
}

function judgeSchemas({ schemas }: Observation): readonly Found[] {
  return schemas.map(({ before, after }): Found => {
    const relation = { schema: before, name: '*' }
    return after === null
      ? found('schema-dropped', relation, `drops the schema ${before}`)
      : found('schema-renamed', relation, `renames the schema ${before} to ${after}`)
  })
}

function judgeNames({ changed, schemas }: Observation): readonly Found[] {
  return changed
    .filter(
      ({ before, after }) => before.kind !== 'index' && before.kind !== 'sequence' && nameOf(before) !== nameOf(after),
    )
    .filter(({ before }) => schemas.every((schema) => schema.before !== before.schema))
    .map(({ before, after }) =>
      found(
        'table-renamed',
        before,
        `renames ${nameOf(before)} to ${nameOf(after)}`,
        before.kind === 'table'
          ? `-- in the same migration:\nCREATE VIEW ${quotedName(before)} AS SELECT * FROM ${quotedName(after)};`
          : null,
      ),
    )
}

function judgeColumns({ changed }: Observation): readonly Found[] {
  const parents = new Set(withoutPartitions(changed.map(({ before }) => before)).map(({ oid }) => oid))
  return changed.filter(({ before }) => parents.has(before.oid)).flatMap(judgeColumnsOf)
}

function judgeColumnsOf({ before, after }: Change<Relation>): readonly Found[] {
  const isTable = after.kind === 'table'
  const old = [...before.columns].flatMap(([number, column]): readonly Found[] => {
    const now = after.columns.get(number)
    if (now === undefined)
      return isTable ? [found('column-dropped', before, `drops ${nameOf(before)}.${column.name}`)] : []
    return [
      ...(now.name === column.name
        ? []
        : [found('column-renamed', before, `renames ${nameOf(before)}.${column.name} to ${now.name}`)]),
      ...(column.notNull && !now.notNull
        ? [found('not-null-dropped', before, `lets ${nameOf(before)}.${now.name} be NULL`)]
        : []),
      ...(now.type === 'json' && column.type !== 'json' ? [jsonColumn(after, now)] : []),
    ]
  })
  const added = [...after.columns].filter(([number]) => !before.columns.has(number)).map(([, column]) => column)
  const required = added.filter(({ notNull, filled }) => isTable && notNull && !filled)
  return [
    ...old,
    ...required.map(({ name, type }) =>
      found('not-null-without-default', before, `adds ${nameOf(before)}.${name} ${type} NOT NULL without a default`),
    ),
    ...added.filter(({ type }) => type === 'json').map((column) => jsonColumn(after, column)),
  ]
}

export function jsonColumn(relation: Relation, { name }: Column): Found {
  return found('json-column', relation, `${nameOf(relation)}.${name} is json`)
}

/** A view may be made anew in the same migration: that is for its end to say. */
function judgeDropped({ dropped, schemas }: Observation): readonly Found[] {
  const gone = dropped.filter(({ schema }) => schemas.every(({ before, after }) => before !== schema || after !== null))
  const tables = withoutPartitions(gone.filter(({ kind }) => kind === 'table'))
  return tables.map((table) => found('table-dropped', table, `drops ${nameOf(table)}`))
}

const CASCADE = /^drop cascades to (.+)$/

function judgeCascade(observation: Observation): readonly Found[] {
  const { messages, dropped, statement } = observation
  const notice = messages.find(({ severity, text }) => severity === 'NOTICE' && CASCADE.test(text))
  const whole = mainOf(dropped, droppedObjects(observation, ['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW']))
  // What the run itself made is nobody else's.
  if (
    notice === undefined ||
    (statement.kind === 'DropStmt' && dropped.length === 0 && statement.fields.removeType === 'OBJECT_TABLE')
  )
    return []
  const what =
    notice.detail === ''
      ? (CASCADE.exec(notice.text)?.[1] ?? '')
      : notice.detail
          .replaceAll(/^drop cascades to /gm, '')
          .split('\n')
          .join(', ')
  return [found('drop-cascades', whole, `cascades to ${what}`)]
}

/** What the statement names, if it names a relation. */
function mainOf(dropped: readonly Relation[], names: readonly string[]): Relation | null {
  const relations = dropped
    .filter(({ kind }) => kind === 'table' || kind === 'view')
    .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
  return relations.find(({ name }) => names.some((named) => named.split('.').at(-1) === name)) ?? relations[0] ?? null
}

function judgeEnum({ statement: { kind, fields } }: Observation): readonly Found[] {
  if (kind !== 'AlterEnumStmt' || textOf(fields.oldVal) === null) return []
  return [
    found('enum-value-renamed', null, `renames the value "${textOf(fields.oldVal)}" to "${textOf(fields.newVal)}"`),
  ]
}

/** Whether the statement drops objects of this type, and which, by their names as it writes them. */
export function droppedObjects({ statement }: Observation, types: readonly string[]): readonly string[] {
  if (statement.kind !== 'DropStmt' || !types.includes(textOf(statement.fields.removeType) ?? '')) return []
  const objects = (statement.fields.objects as readonly unknown[] | undefined) ?? []
  return objects.map(objectName)
}

function objectName(object: unknown): string {
  const fields = fieldsOf(object)
  const names =
    fieldsOf(fields.List).items ?? fieldsOf(fields.TypeName).names ?? fieldsOf(fields.ObjectWithArgs).objname
  const parts = (Array.isArray(names) ? (names as readonly unknown[]) : []).map(
    (part) => textOf(fieldsOf(fieldsOf(part).String).sval) ?? '',
  )
  return parts.join('.')
}
