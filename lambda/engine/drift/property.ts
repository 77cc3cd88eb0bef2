/** What a line of the catalog says, and of what. */
interface Property {
  readonly property: string
  readonly value: string
}

const NAME = String.raw`"(?:[^"]|"")+"|\S+`

/** Lines that name a part of an object; the name tells which part is which. */
const PARTS: readonly RegExp[] = [
  new RegExp(String.raw`^(column|constraint|policy|attribute) (${NAME}) ([^]*)$`),
  new RegExp(String.raw`^(index) CREATE (?:UNIQUE )?INDEX (${NAME}) ON ([^]*)$`),
  new RegExp(String.raw`^(trigger) CREATE (?:CONSTRAINT )?TRIGGER (${NAME}) ([^]*)$`),
  new RegExp(String.raw`^(rule) CREATE RULE (${NAME}) AS\s([^]*)$`),
  new RegExp(String.raw`^(internal trigger of) (${NAME}) ([^]*)$`),
  new RegExp(String.raw`^(cast) (.+ to .+) (\S+)$`),
]

/** Statements that are told whole. */
const STATEMENT = /^(?:index|trigger|rule) (CREATE [^]*)$/

const RELATION = /^(partitioned table|foreign table|table|materialized view|view|composite type|sequence) ([^]*)$/

/** The name of a part, and what is said of it. */
export function propertyOf(line: string): Property {
  for (const pattern of PARTS) {
    const [, kind, name, value] = pattern.exec(line) ?? []
    if (kind !== undefined) return { property: `${kind} ${name}`, value: STATEMENT.exec(line)?.[1] ?? value ?? '' }
  }
  const [, label, text] = /^(order of columns|partition of|inherits \d+):? ([^]*)$/.exec(line) ?? []
  if (label !== undefined) return { property: label, value: text ?? '' }
  if (line.startsWith('CREATE OR REPLACE')) return { property: 'definition', value: line }
  if (line.startsWith('as ')) return { property: 'definition', value: line.slice('as '.length).trim() }
  if (line.startsWith('comment ')) return { property: 'text', value: line.replace(/^comment [a-z ]+ '/, "'") }
  if (line.startsWith('type '))
    return { property: 'definition', value: line.replace(/^type (?:"[^"]*"|\S)+ [a-z] ?/, '') }
  const [, relation, rest] = RELATION.exec(line) ?? []
  if (relation !== undefined) return { property: 'properties', value: (rest ?? '').replace(/^(?:"[^"]*"|\S)+ ?/, '') }
  return { property: 'definition', value: line }
}

/** Groups of the catalog whose names begin with what they are. */
const KINDS = [
  'schema',
  'extension',
  'collation',
  'operator class',
  'operator family',
  'operator',
  'statistics',
  'conversion',
  'language',
  'access method',
  'text search configuration',
  'text search dictionary',
  'text search parser',
  'text search template',
  'foreign data wrapper',
  'server',
  'event trigger',
  'publication',
]

const TYPES: Readonly<Record<string, string>> = { e: 'enum', d: 'domain', r: 'range type', b: 'base type' }

/** What an object is, and what it is called. @param lines - all that is said of it */
export function kindOf(name: string, lines: readonly string[]): { readonly kind: string; readonly identity: string } {
  const kind = KINDS.find((known) => name.startsWith(`${known} `))
  if (kind !== undefined) return { kind, identity: name.slice(kind.length + 1) }
  const [, about, identity] = /^(comment|label) on ([^]*)$/.exec(name) ?? []
  if (about !== undefined) return { kind: about === 'label' ? 'security label' : about, identity: identity ?? '' }
  if (name.startsWith('type ')) {
    const identity = name.slice('type '.length)
    const own = lines.find((line) => line.startsWith(`${name} `))
    return { kind: TYPES[own?.slice(name.length + 1, name.length + 2) ?? ''] ?? 'type', identity }
  }
  if (['cast', 'transform', 'default privileges'].includes(name)) return { kind: name, identity: '' }
  return { kind: relationOrRoutine(name, lines), identity: name }
}

function relationOrRoutine(name: string, lines: readonly string[]): string {
  for (const line of lines) {
    const [, routine] = /^CREATE OR REPLACE (FUNCTION|PROCEDURE)\b/.exec(line) ?? []
    if (routine !== undefined) return routine.toLowerCase()
    const [, relation, rest] = RELATION.exec(line) ?? []
    if (relation !== undefined && rest?.startsWith(name) === true) return relation
    if (line.startsWith('aggregate ')) return 'aggregate'
  }
  return 'object'
}
