import type { LockHold, RehearsedPass, RehearsedStatement, Rehearsal } from '../rehearse/rehearsal.ts'
import type { Column } from './table.ts'
import { formatBytes, formatDuration } from './units.ts'

/** A table of a rehearsal, for a terminal or a pull request. */
export interface Rows {
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
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

/** What each statement took, locked and rewrote. */
export function statementRows(rehearsal: Rehearsal, { migrations }: RehearsedPass): Rows {
  const about = isEstimated(rehearsal)
  return {
    columns: [
      { title: 'FILE' },
      { title: 'STATEMENT' },
      { title: 'TIME', align: 'right' },
      ...(about ? [ABOUT] : []),
      { title: 'LOCKS AND WORK' },
    ],
    rows: migrations.flatMap(({ file, statements }) =>
      statements.map((statement) => [
        statement.line === null ? file : `${file}:${statement.line}`,
        statement.text,
        formatDuration(statement.durationMs),
        ...(about ? [estimateText(statement.estimatedMs)] : []),
        effectsOf(statement),
      ]),
    ),
  }
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
  return rows === null ? formatBytes(bytes) : `${formatBytes(bytes)}, ${rows.toLocaleString('en-US')} rows`
}
