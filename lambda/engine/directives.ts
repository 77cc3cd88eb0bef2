import { invalidMigration } from './invalid.ts'
import type { Directives } from './migration.ts'

/** Where a directive was read, for its error. */
interface Place {
  readonly migration: string
  readonly file: string
  readonly line: number
}

export const NO_DIRECTIVES: Directives = {
  after: null,
  irreversible: null,
  breaking: null,
  allow: [],
  lockTimeoutMs: null,
  statementTimeoutMs: null,
}

const KNOWN = ['after', 'irreversible', 'allow', 'breaking', 'lock-timeout', 'statement-timeout'] as const
const LINE = /^--\s*lockstep:(\S+)\s*(.*)$/

/**
 * Adds the directive on this line, if there is one, to those read so far.
 *
 * @throws LockstepError `MIGRATION_INVALID` for an unknown directive or a missing or malformed value.
 */
export function readDirective(line: string, soFar: Directives, place: Place): Directives {
  const match = LINE.exec(line.trim())
  if (!match) return soFar
  const [, name = '', value = ''] = match
  if (value.trim() === '') throw malformed(place, name, 'has no value')
  switch (name) {
    case 'after':
      return { ...soFar, after: [...(soFar.after ?? []), ...splitIds(value)] }
    case 'irreversible':
      return { ...soFar, irreversible: value.trim() }
    case 'breaking':
      return { ...soFar, breaking: value.trim() }
    case 'allow':
      return { ...soFar, allow: [...soFar.allow, readAllow(value, place)] }
    case 'lock-timeout':
      return { ...soFar, lockTimeoutMs: readDuration(value, name, place) }
    case 'statement-timeout':
      return { ...soFar, statementTimeoutMs: readDuration(value, name, place) }
    default:
      throw malformed(place, name, 'is not known')
  }
}

function splitIds(value: string): readonly string[] {
  return value.split(/[\s,]+/).filter((id) => id !== '')
}

function readAllow(value: string, place: Place): Directives['allow'][number] {
  const [hazard = '', ...reason] = value.trim().split(/\s+/)
  if (reason.length === 0) throw malformed(place, 'allow', `of hazard "${hazard}" has no reason`)
  return { hazard, reason: reason.join(' ') }
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 }

/** Milliseconds of a duration in PostgreSQL's notation: `500ms`, `2s`, `10min`, `1h`. */
export function parseDuration(value: string): number | null {
  const match = /^(\d+)\s*(ms|s|min|h)$/.exec(value.trim())
  return match ? Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0) : null
}

function readDuration(value: string, name: string, place: Place): number {
  const duration = parseDuration(value)
  if (duration === null) throw malformed(place, name, `has "${value}", which is no duration such as 500ms, 2s or 10min`)
  return duration
}

function malformed(place: Place, name: string, problem: string): Error {
  return invalidMigration({
    ...place,
    message: `the directive lockstep:${name} ${problem}.`,
    remedy: `Known directives: ${KNOWN.map((known) => `lockstep:${known}`).join(', ')}; each with a value.`,
  })
}
