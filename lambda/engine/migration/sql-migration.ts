import { NO_DIRECTIVES, readDirective } from './directives.ts'
import type { LockstepError } from '../../errors.ts'
import { invalidMigration, refuse, type Report } from './invalid.ts'
import type { Directives, SqlBlock, SqlMigration, SqlSection } from './migration.ts'

interface Place {
  readonly migration: string
  readonly file: string
}

const SECTIONS = ['up', 'down', 'require', 'verify'] as const
type SectionName = (typeof SECTIONS)[number]

interface Marker {
  readonly section: SectionName
  readonly transactional: boolean
}

interface Found extends Marker {
  readonly block: SqlBlock
}

const MARKER = /^--\s*migrate:(\S+)\s*(.*)$/

/**
 * Reads a SQL migration in dbmate's syntax: `-- migrate:up`, `-- migrate:down`, `transaction:false`, several pairs
 * allowed, with Lockstep's directives above the first marker and its sections `-- migrate:require` and
 * `-- migrate:verify`. A down without any statement counts as none.
 *
 * @param report - takes what is wrong with a line. @default thrown
 * @throws LockstepError `MIGRATION_INVALID` with the line.
 */
export function parseSqlMigration(
  input: Place & { readonly source: string; readonly checksum: string },
  report: Report = refuse,
): SqlMigration {
  const lines = input.source.split('\n')
  const first = lines.findIndex((line) => MARKER.test(line.trim()))
  if (first === -1) throw noUp(input)
  const directives = readPreamble(lines.slice(0, first), input, report)
  const found = readBlocks(lines, first, input, report)
  const up = sectionOf(found, 'up')
  if (up === null) throw noUp(input)
  return {
    id: input.migration,
    kind: 'sql',
    repeatable: false,
    file: input.file,
    source: input.source,
    checksum: input.checksum,
    directives,
    up,
    down: sectionOf(found, 'down'),
    require: blocksOf(found, 'require'),
    verify: blocksOf(found, 'verify'),
  }
}

/**
 * Reads a file of `repeatable/`: a migration with sections, or statements alone. Its down is run when its first text is
 * taken back; later ones are taken back by the text before.
 *
 * @param report - takes what is wrong with a line. @default thrown
 * @throws LockstepError `MIGRATION_INVALID` with the line.
 */
export function parseRepeatable(
  input: Place & { readonly source: string; readonly checksum: string },
  report: Report = refuse,
): SqlMigration {
  const hasSections = input.source.split('\n').some((line) => MARKER.test(line.trim()))
  const migration = hasSections ? parseSqlMigration(input, report) : parsePlain(input, report)
  const { directives, up, down } = migration
  const misplaced = (['after', 'irreversible', 'breaking'] as const).filter((name) => directives[name] !== null)
  for (const name of misplaced) report(notRepeatable(input, `lockstep:${name} says nothing of a repeatable.`))
  if (!up.transactional || down?.transactional === false)
    report(notRepeatable(input, 'a repeatable runs in a transaction.'))
  return { ...migration, repeatable: true }
}

/** Directives up to the first line of SQL; the whole text is the up. */
function parsePlain(
  input: Place & { readonly source: string; readonly checksum: string },
  report: Report,
): SqlMigration {
  const lines = input.source.split('\n')
  const first = lines.findIndex((line) => line.trim() !== '' && !line.trim().startsWith('--'))
  return {
    id: input.migration,
    kind: 'sql',
    repeatable: true,
    file: input.file,
    source: input.source,
    checksum: input.checksum,
    directives: readPreamble(first === -1 ? lines : lines.slice(0, first), input, report),
    up: { blocks: [{ text: input.source, line: 1 }], transactional: true },
    down: null,
    require: [],
    verify: [],
  }
}

function notRepeatable(place: Place, message: string): LockstepError {
  return invalidMigration({ ...place, message, remedy: 'Remove it, or make a migration of the file.' })
}

function readPreamble(lines: readonly string[], place: Place, report: Report): Directives {
  let directives = NO_DIRECTIVES
  for (const [index, line] of lines.entries()) {
    const text = line.trim()
    if (text !== '' && !text.startsWith('--')) {
      report(
        invalidMigration({
          ...place,
          line: index + 1,
          message: 'there is SQL above the first "-- migrate:up".',
          remedy: 'Move it below "-- migrate:up".',
        }),
      )
    }
    directives = readDirective(line, directives, { ...place, line: index + 1 }, report)
  }
  return directives
}

function readBlocks(lines: readonly string[], first: number, place: Place, report: Report): readonly Found[] {
  const found: Found[] = []
  let marker: Marker | null = null
  let from = first
  const close = (to: number): void => {
    if (marker) found.push({ ...marker, block: { text: lines.slice(from, to).join('\n'), line: from + 1 } })
  }
  for (let index = first; index < lines.length; index += 1) {
    const line = (lines[index] ?? '').trim()
    if (/^--\s*lockstep:/.test(line)) report(misplacedDirective(place, index + 1))
    const match = MARKER.exec(line)
    if (!match) continue
    close(index)
    marker = readMarker(match[1] ?? '', match[2] ?? '', { ...place, line: index + 1 }, report)
    from = index + 1
  }
  close(lines.length)
  return found
}

function readMarker(
  name: string,
  options: string,
  place: Place & { readonly line: number },
  report: Report,
): Marker | null {
  const section = SECTIONS.find((known) => known === name)
  if (section === undefined) {
    report(
      invalidMigration({
        ...place,
        message: `the section "migrate:${name}" is not known.`,
        remedy: `Known sections: ${SECTIONS.map((known) => `migrate:${known}`).join(', ')}.`,
      }),
    )
    return null
  }
  const hasTransaction = section === 'up' || section === 'down'
  const known = (hasTransaction ? /^(transaction:(true|false))?$/ : /^$/).exec(options.trim())
  if (known) return { section, transactional: known[2] !== 'false' }
  report(
    invalidMigration({
      ...place,
      message: `the option "${options.trim()}" of migrate:${name} is not known.`,
      remedy: hasTransaction ? 'Known option: transaction:false.' : `migrate:${name} takes no option.`,
    }),
  )
  return { section, transactional: true }
}

function blocksOf(found: readonly Found[], section: SectionName): readonly SqlBlock[] {
  return found.filter((entry) => entry.section === section).map((entry) => entry.block)
}

/** Downs of several pairs run in reverse, as the pairs undo each other. */
function sectionOf(found: readonly Found[], direction: 'up' | 'down'): SqlSection | null {
  const own = found.filter((entry) => entry.section === direction)
  if (own.length === 0) return null
  const blocks = own.map((entry) => entry.block)
  if (direction === 'down' && blocks.every((block) => isEmpty(block.text))) return null
  return {
    blocks: direction === 'up' ? blocks : blocks.toReversed(),
    transactional: own.every((entry) => entry.transactional),
  }
}

function isEmpty(sql: string): boolean {
  return (
    sql
      .replaceAll(/\/\*[\s\S]*?\*\//g, '')
      .replaceAll(/--.*$/gm, '')
      .replaceAll(/[\s;]+/g, '') === ''
  )
}

function noUp(place: Place): LockstepError {
  return invalidMigration({
    ...place,
    message: 'there is no "-- migrate:up" line.',
    remedy: 'Begin the statements to apply with "-- migrate:up" and those that undo them with "-- migrate:down".',
  })
}

function misplacedDirective(place: Place, line: number): LockstepError {
  return invalidMigration({
    ...place,
    line,
    message: 'a lockstep: directive stands below "-- migrate:up", where it has no effect.',
    remedy: 'Move it to the top of the file.',
  })
}
