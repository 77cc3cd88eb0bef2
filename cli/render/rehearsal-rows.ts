import type { LockHold, RehearsedPass, RehearsedStatement, Rehearsal } from '../rehearse/rehearsal.ts'
import type { Column } from './table.ts'
import { count, formatBytes, formatDuration } from './units.ts'

/** A table of a rehearsal, for a terminal or a pull request. */
export interface Rows {
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
  /** What is not among the rows, in one sentence. @default nothing */
  readonly rest?: string
}

/** Where tables were empty, times are estimated beside what was measured. */
function isEstimated({ source }: Rehearsal): boolean {
  return source.kind === 'structure'
}

const ABOUT: Column = { title: 'ABOUT', align: 'right' }

/** What each pass took, migration by migration. */
export function timeRows({ passes }: Rehearsal): Rows {
  const done = passes.filter(({ migrations }) => migrations.length > 0)
  const ids = [...new Set(done.flatMap(({ migrations }) => migrations.map(({ id }) => id)))]
  return {
    columns: [
      { title: 'MIGRATION' },
      ...done.map(({ pass }): Column => ({ title: pass.toUpperCase(), align: 'right' })),
    ],
    rows: [
      ...ids.map((id) => [id, ...done.map((pass) => timeOf(pass, id))]),
      ['in all', ...done.map(({ durationMs }) => formatDuration(durationMs))],
    ],
  }
}

function timeOf({ migrations }: RehearsedPass, id: string): string {
  const found = migrations.find((migration) => migration.id === id)
  return found === undefined ? '' : formatDuration(found.durationMs)
}

/** More than these nobody reads. */
const MOST_STATEMENTS = 60

/** What each statement took, locked and rewrote; of many, those that lock or read the most, and last the longest. */
export function statementRows(rehearsal: Rehearsal, { migrations }: RehearsedPass): Rows {
  const about = isEstimated(rehearsal)
  const all = migrations.flatMap(({ file, statements }) => statements.map((statement) => ({ file, statement })))
  const shown = new Set(all.toSorted((a, b) => byWeight(a.statement, b.statement)).slice(0, MOST_STATEMENTS))
  const left = all.length - shown.size
  return {
    columns: [
      { title: 'FILE' },
      { title: 'STATEMENT' },
      { title: 'TIME', align: 'right' },
      ...(about ? [ABOUT] : []),
      { title: 'LOCKS AND WORK' },
    ],
    rows: all
      .filter((entry) => shown.has(entry))
      .map(({ file, statement }) => [
        statement.line === null ? file : `${file}:${statement.line}`,
        statement.text,
        formatDuration(statement.durationMs),
        ...(about ? [estimateText(statement.estimatedMs)] : []),
        effectsOf(statement),
      ]),
    ...(left === 0 ? {} : { rest: `… and ${left} more (--json has all)` }),
  }
}

/** The heaviest first. */
function byWeight(left: RehearsedStatement, right: RehearsedStatement): number {
  return Number(hasEffects(right)) - Number(hasEffects(left)) || lengthOf(right) - lengthOf(left)
}

function hasEffects(statement: RehearsedStatement): boolean {
  return effectsOf(statement) !== ''
}

function lengthOf({ durationMs, estimatedMs }: RehearsedStatement): number {
  return Math.max(durationMs, estimatedMs ?? 0)
}

function estimateText(milliseconds: number | null): string {
  return milliseconds === null || milliseconds < 1 ? '' : formatDuration(milliseconds)
}

const SHOWN = 3
/** What every statement that reads or writes a table takes: it is in nobody's way but that of who changes the table. */
const USUAL = new Set(['ACCESS SHARE', 'ROW SHARE', 'ROW EXCLUSIVE'])

function effectsOf({ failed, locks, rewritten, scanned }: RehearsedStatement): string {
  const tables = locks.filter(({ kind, mode }) => kind !== 'index' && kind !== 'sequence' && !USUAL.has(mode))
  const more = tables.length > SHOWN ? [`${tables.length - SHOWN} more locks`] : []
  const read = scanned.filter((name) => !rewritten.includes(name))
  return [
    ...(failed ? ['failed'] : []),
    ...tables.slice(0, SHOWN).map(({ mode, relation }) => `${mode} on ${relation}`),
    ...more,
    ...rewritten.map((name) => `rewrites ${name}`),
    ...read.map((name) => `reads all of ${name}`),
  ].join('; ')
}

/** Who would have waited, for what and how long. */
export function holdRows(rehearsal: Rehearsal, { holds }: RehearsedPass): Rows {
  const about = isEstimated(rehearsal)
  return {
    columns: [
      { title: 'TABLE' },
      { title: 'SIZE', align: 'right' },
      { title: 'WAITING' },
      { title: 'LOCK' },
      { title: 'HELD', align: 'right' },
      ...(about ? [ABOUT] : []),
      { title: 'SINCE' },
    ],
    rows: holds.map((hold) => [
      hold.relation,
      sizeText(hold),
      hold.blocks,
      hold.mode,
      formatDuration(hold.heldMs),
      ...(about ? [estimateText(hold.estimatedMs)] : []),
      hold.line === null ? hold.migration : `${hold.migration}:${hold.line}`,
    ]),
  }
}

function sizeText({ bytes, rows }: LockHold): string {
  if (bytes === null) return ''
  return rows === null ? formatBytes(bytes) : `${formatBytes(bytes)}, ${count(rows, 'row')}`
}
