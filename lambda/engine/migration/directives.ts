import type { LockstepError } from '../../errors.ts'
import { invalidMigration, refuse, type Report } from './invalid.ts'
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
 * @param report - takes an unknown directive, a missing or malformed value, one that stands there already. @default thrown
 * @throws LockstepError `MIGRATION_INVALID`.
 */
export function readDirective(line: string, soFar: Directives, place: Place, report: Report = refuse): Directives {
  const read = parseDirective(line, soFar, place)
  if (!(read instanceof Error)) return read
  report(read)
  return soFar
}

function parseDirective(line: string, soFar: Directives, place: Place): Directives | LockstepError {
  const match = LINE.exec(line.trim())
  if (!match) return soFar
  const [, name = '', value = ''] = match
  if (value.trim() === '') return malformed(place, name, 'has no value')
  if (isRepeated(name, value, soFar)) return malformed(place, name, 'stands there twice')
  switch (name) {
    case 'after':
      return { ...soFar, after: [...(soFar.after ?? []), ...splitIds(value)] }
    case 'irreversible':
      return { ...soFar, irreversible: value.trim() }
    case 'breaking':
      return { ...soFar, breaking: value.trim() }
    case 'allow':
      return readAllow(value, soFar, place)
    case 'lock-timeout':
      return readDuration(value, name, place, (lockTimeoutMs) => ({ ...soFar, lockTimeoutMs }))
    case 'statement-timeout':
      return readDuration(value, name, place, (statementTimeoutMs) => ({ ...soFar, statementTimeoutMs }))
    default:
      return malformed(place, name, 'is not known')
  }
}

function splitIds(value: string): readonly string[] {
  return value.split(/[\s,]+/).filter((id) => id !== '')
}

/** Of two values one would be without effect, and nobody would know which. */
function isRepeated(name: string, value: string, soFar: Directives): boolean {
  switch (name) {
    case 'irreversible':
      return soFar.irreversible !== null
    case 'breaking':
      return soFar.breaking !== null
    case 'lock-timeout':
      return soFar.lockTimeoutMs !== null
    case 'statement-timeout':
      return soFar.statementTimeoutMs !== null
    case 'allow':
      return soFar.allow.some(({ hazard }) => hazard === value.trim().split(/\s+/)[0])
    default:
      return false
  }
}

function readAllow(value: string, soFar: Directives, place: Place): Directives | LockstepError {
  const [hazard = '', ...reason] = value.trim().split(/\s+/)
  if (reason.length === 0) return malformed(place, 'allow', `of hazard "${hazard}" has no reason`)
  return { ...soFar, allow: [...soFar.allow, { hazard, reason: reason.join(' ') }] }
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 }

/** Milliseconds of a duration in PostgreSQL's notation: `500ms`, `2s`, `10min`, `1h`. */
export function parseDuration(value: string): number | null {
  const match = /^(\d+)\s*(ms|s|min|h)$/.exec(value.trim())
  return match ? Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0) : null
}

function readDuration(
  value: string,
  name: string,
  place: Place,
  set: (milliseconds: number) => Directives,
): Directives | LockstepError {
  const duration = parseDuration(value)
  if (duration === null)
    return malformed(place, name, `has "${value}", which is no duration such as 500ms, 2s or 10min`)
  return set(duration)
}

function malformed(place: Place, name: string, problem: string): LockstepError {
  return invalidMigration({
    ...place,
    message: `the directive lockstep:${name} ${problem}.`,
    remedy: `Known directives: ${KNOWN.map((known) => `lockstep:${known}`).join(', ')}; each with a value.`,
  })
}
