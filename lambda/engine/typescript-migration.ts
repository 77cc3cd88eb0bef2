import { NO_DIRECTIVES, parseDuration } from './directives.ts'
import { invalidMigration } from './invalid.ts'
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
 * @throws LockstepError `MIGRATION_INVALID`.
 */
export function parseTypeScriptMigration(
  input: Place & {
    readonly source: string
    readonly checksum: string
    readonly exports: Readonly<Record<string, unknown>>
    readonly compiled?: CompiledModule | null
  },
): TypeScriptMigration {
  const { exports } = input
  const unknown = Object.keys(exports).filter(
    (name) => !KNOWN.includes(name) && name !== '__esModule' && name !== 'module.exports',
  )
  if (unknown.length > 0) throw invalid(input, `it exports ${unknown.join(', ')}, which is not known`)
  const up = functionOf(exports.up)
  if (up === null) throw invalid(input, 'it does not export a function "up"')
  if (exports.down !== undefined && functionOf(exports.down) === null) throw invalid(input, '"down" is not a function')
  return {
    id: input.migration,
    kind: 'ts',
    file: input.file,
    source: input.source,
    checksum: input.checksum,
    directives: directivesOf(exports, input),
    up,
    down: functionOf(exports.down),
    transactional: exports.transaction !== false,
    compiled: input.compiled ?? null,
  }
}

function functionOf(value: unknown): MigrationFunction | null {
  return typeof value === 'function' ? (value as MigrationFunction) : null
}

function directivesOf(exports: Readonly<Record<string, unknown>>, place: Place): Directives {
  const text = (name: string): string | null => {
    const value = exports[name]
    if (value === undefined) return null
    if (typeof value !== 'string' || value === '') throw invalid(place, `"${name}" is not a text`)
    return value
  }
  const duration = (name: string): number | null => {
    const value = text(name)
    const milliseconds = value === null ? null : parseDuration(value)
    if (value !== null && milliseconds === null)
      throw invalid(place, `"${name}" is "${value}", which is no duration such as 2s`)
    return milliseconds
  }
  return {
    ...NO_DIRECTIVES,
    after: exports.after === undefined ? null : idsOf(exports.after, place),
    irreversible: text('irreversible'),
    breaking: text('breaking'),
    allow: allowOf(exports.allow, place),
    lockTimeoutMs: duration('lockTimeout'),
    statementTimeoutMs: duration('statementTimeout'),
  }
}

function idsOf(value: unknown, place: Place): readonly string[] {
  const ids = typeof value === 'string' ? [value] : value
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string'))
    throw invalid(place, '"after" is not a list of ids')
  return ids
}

function allowOf(value: unknown, place: Place): Directives['allow'] {
  if (value === undefined) return []
  if (typeof value !== 'object' || value === null) throw invalid(place, '"allow" is not an object of hazard: reason')
  return Object.entries(value).map(([hazard, reason]) => ({ hazard, reason: String(reason) }))
}

function invalid(place: Place, problem: string): Error {
  return invalidMigration({
    migration: place.migration,
    file: place.file,
    message: `${problem}.`,
    remedy: `A TypeScript migration exports functions "up" and "down" and may export: ${KNOWN.slice(2, -1).join(', ')}.`,
  })
}
