import { NO_DIRECTIVES, parseDuration } from './directives.ts'
import type { LockstepError } from '../../errors.ts'
import { invalidMigration, refuse, type Report } from './invalid.ts'
import type { CompiledModule, Directives, MigrationFunction, TypeScriptMigration } from './migration.ts'

interface Place {
  readonly migration: string
  readonly file: string
}

const KNOWN = [
  'up',
  'down',
  'transaction',
  'after',
  'irreversible',
  'breaking',
  'allow',
  'lockTimeout',
  'statementTimeout',
  'default',
]

/**
 * Reads the exports of a TypeScript migration: `up`, `down`, and the settings as constants (`transaction`, `after`,
 * `irreversible`, `breaking`, `allow`, `lockTimeout`, `statementTimeout`).
 *
 * @param report - takes what is wrong with an export. @default thrown
 * @throws LockstepError `MIGRATION_INVALID`.
 */
export function parseTypeScriptMigration(
  input: Place & {
    readonly source: string
    readonly checksum: string
    readonly exports: Readonly<Record<string, unknown>>
    readonly compiled?: CompiledModule | null
  },
  report: Report = refuse,
): TypeScriptMigration {
  const { exports } = input
  const unknown = Object.keys(exports).filter(
    (name) => !KNOWN.includes(name) && name !== '__esModule' && name !== 'module.exports',
  )
  if (unknown.length > 0) report(invalid(input, `it exports ${unknown.join(', ')}, which is not known`))
  const up = functionOf(exports.up)
  if (up === null) throw invalid(input, 'it does not export a function "up"')
  if (exports.down !== undefined && functionOf(exports.down) === null)
    report(invalid(input, '"down" is not a function'))
  return {
    id: input.migration,
    kind: 'ts',
    file: input.file,
    source: input.source,
    checksum: input.checksum,
    directives: directivesOf(exports, input, report),
    up,
    down: functionOf(exports.down),
    transactional: exports.transaction !== false,
    compiled: input.compiled ?? null,
  }
}

function functionOf(value: unknown): MigrationFunction | null {
  return typeof value === 'function' ? (value as MigrationFunction) : null
}

function directivesOf(exports: Readonly<Record<string, unknown>>, place: Place, report: Report): Directives {
  const problem = (text: string): null => {
    report(invalid(place, text))
    return null
  }
  const text = (name: string): string | null => {
    const value = exports[name]
    if (value === undefined) return null
    return typeof value === 'string' && value !== '' ? value : problem(`"${name}" is not a text`)
  }
  const duration = (name: string): number | null => {
    const value = text(name)
    if (value === null) return null
    return parseDuration(value) ?? problem(`"${name}" is "${value}", which is no duration such as 2s`)
  }
  return {
    ...NO_DIRECTIVES,
    after: exports.after === undefined ? null : (idsOf(exports.after) ?? problem('"after" is not a list of ids')),
    irreversible: text('irreversible'),
    breaking: text('breaking'),
    allow: allowOf(exports.allow) ?? problem('"allow" is not an object of hazard: reason') ?? [],
    lockTimeoutMs: duration('lockTimeout'),
    statementTimeoutMs: duration('statementTimeout'),
  }
}

function idsOf(value: unknown): readonly string[] | null {
  const ids = typeof value === 'string' ? [value] : value
  return Array.isArray(ids) && ids.every((id) => typeof id === 'string') ? ids : null
}

function allowOf(value: unknown): Directives['allow'] | null {
  if (value === undefined) return []
  if (typeof value !== 'object' || value === null) return null
  return Object.entries(value).map(([hazard, reason]) => ({ hazard, reason: String(reason) }))
}

function invalid(place: Place, problem: string): LockstepError {
  return invalidMigration({
    migration: place.migration,
    file: place.file,
    message: `${problem}.`,
    remedy: `A TypeScript migration exports functions "up" and "down" and may export: ${KNOWN.slice(2, -1).join(', ')}.`,
  })
}
