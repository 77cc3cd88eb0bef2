import type { AffectedTable } from '../engine/affected/affected-tables.ts'

export interface TableName {
  readonly schema: string
  readonly name: string
}

/** Whose rows a snapshot holds. The structure is always that of the whole database, so that every snapshot restores. */
export type SnapshotScope =
  | { readonly kind: 'database' }
  /** Names, in which `*` stands for anything. */
  | { readonly kind: 'schemas'; readonly schemas: readonly string[] }
  /** What the migrations of the run can touch. */
  | { readonly kind: 'affected'; readonly tables: readonly AffectedTable[] }

/** What can be asked for: what is affected is found out for each run. */
export type SnapshotScopeSetting = Exclude<SnapshotScope, { readonly kind: 'affected' }> | { readonly kind: 'affected' }

/** Which rows to copy. */
export interface SnapshotSelection {
  readonly scope: SnapshotScope
  /** Patterns (`schema.table`, with `*` for anything) of tables whose rows are left out, whatever the scope is. */
  readonly exclude: readonly string[]
  /** The schema of Lockstep's own tables, which are always copied: a copy must know what is applied to it. */
  readonly historySchema: string
}

export const WHOLE_DATABASE: SnapshotSelection = { scope: { kind: 'database' }, exclude: [], historySchema: '' }

/** For people who gave something else. */
const SCHEMAS_SYNTAX = 'schemas: with names separated by commas, such as schemas:shop,audit'
export const SCOPE_SYNTAX = `database, affected, or ${SCHEMAS_SYNTAX}`
/** Without a run nothing is affected. */
export const MANUAL_SCOPE_SYNTAX = `database, or ${SCHEMAS_SYNTAX}`
export const PATTERN_SYNTAX = 'schema.table, with * for anything, and several separated by commas'

/** Reads `database`, `affected` or `schemas:a,b`. Null when it is none of them. */
export function parseScope(text: string): SnapshotScopeSetting | null {
  if (text === 'database' || text === 'affected') return { kind: text }
  if (!text.startsWith('schemas:')) return null
  const schemas = listOf(text.slice('schemas:'.length))
  return schemas !== null && schemas.every((names) => names.length === 1)
    ? { kind: 'schemas', schemas: schemas.map(([name = '']) => name) }
    : null
}

/** Reads `schema.table,other.audit_*`. Null when something in it is not a schema's and a table's name. */
export function parsePatterns(text: string): readonly string[] | null {
  const patterns = listOf(text)
  return patterns !== null && patterns.every((names) => names.length === 2)
    ? patterns.map((names) => names.join('.'))
    : null
}

/** A name, or one in double quotes that may hold commas and dots, and in which `*` stands for itself. */
const NAME = String.raw`(?:"(?:[^"]|"")+"|[^",.\s]+)`
const ENTRY = new RegExp(String.raw`^\s*(${NAME}(?:\.${NAME})*)\s*(?:,|$)`)

/** The entries of a list, each as its names. Null when it is not a list of names. */
function listOf(text: string): readonly (readonly string[])[] | null {
  const entries: (readonly string[])[] = []
  for (let rest = text; rest.trim() !== '';) {
    const [matched, entry] = ENTRY.exec(rest) ?? []
    if (matched === undefined || entry === undefined) return null
    entries.push(entry.match(new RegExp(NAME, 'g')) ?? [])
    rest = rest.slice(matched.length)
    if (matched.endsWith(',') && rest.trim() === '') return null
  }
  return entries.length === 0 ? null : entries
}

/** Whether a pattern names a table. */
export function matchesTable(pattern: string, { schema, name }: TableName): boolean {
  const [schemaPattern = '', tablePattern = ''] = pattern.match(new RegExp(NAME, 'g')) ?? []
  return matchesName(schemaPattern, schema) && matchesName(tablePattern, name)
}

/** Whether a pattern, without a dot, names a name. */
export function matchesName(pattern: string, name: string): boolean {
  if (pattern.startsWith('"')) return pattern.slice(1, -1).replaceAll('""', '"') === name
  const source = pattern.split('*').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
  return new RegExp(`^${source.join('.*')}$`, 's').test(name)
}
