import { NO_DIRECTIVES, readDirective } from './directives.ts'
import { invalidMigration } from './invalid.ts'
import type { Directives, SqlBlock, SqlMigration, SqlSection } from './migration.ts'

interface Place {
  readonly migration: string
  readonly file: string
}

interface Marker {
  readonly direction: 'up' | 'down'
  readonly transactional: boolean
}

interface Found extends Marker {
  readonly block: SqlBlock
}

const MARKER = /^--\s*migrate:(\S+)\s*(.*)$/

/**
 * Reads a SQL migration in dbmate's syntax: `-- migrate:up`, `-- migrate:down`, `transaction:false`, several pairs
 * allowed, and Lockstep's directives above the first marker. A down without any statement counts as none.
 *
 * @throws LockstepError `MIGRATION_INVALID` with the line.
 */
export function parseSqlMigration(input: Place & { readonly source: string; readonly checksum: string }): SqlMigration {
  const lines = input.source.split('\n')
  const first = lines.findIndex((line) => MARKER.test(line.trim()))
  if (first === -1) throw noUp(input)
  const directives = readPreamble(lines.slice(0, first), input)
  const found = readBlocks(lines, first, input)
  const up = sectionOf(found, 'up')
  if (up === null) throw noUp(input)
  return {
    id: input.migration,
    kind: 'sql',
    file: input.file,
    source: input.source,
    checksum: input.checksum,
    directives,
    up,
    down: sectionOf(found, 'down'),
  }
}

function readPreamble(lines: readonly string[], place: Place): Directives {
  let directives = NO_DIRECTIVES
  for (const [index, line] of lines.entries()) {
    const text = line.trim()
    if (text !== '' && !text.startsWith('--')) {
      throw invalidMigration({
        ...place,
        line: index + 1,
        message: 'there is SQL above the first "-- migrate:up".',
        remedy: 'Move it below "-- migrate:up".',
      })
    }
    directives = readDirective(line, directives, { ...place, line: index + 1 })
  }
  return directives
}

function readBlocks(lines: readonly string[], first: number, place: Place): readonly Found[] {
  const found: Found[] = []
  let marker: Marker | null = null
  let from = first
  const close = (to: number): void => {
    if (marker) found.push({ ...marker, block: { text: lines.slice(from, to).join('\n'), line: from + 1 } })
  }
  for (let index = first; index < lines.length; index += 1) {
    const line = (lines[index] ?? '').trim()
    if (/^--\s*lockstep:/.test(line)) throw misplacedDirective(place, index + 1)
    const match = MARKER.exec(line)
    if (!match) continue
    close(index)
    marker = readMarker(match[1] ?? '', match[2] ?? '', { ...place, line: index + 1 })
    from = index + 1
  }
  close(lines.length)
  return found
}

function readMarker(name: string, options: string, place: Place & { readonly line: number }): Marker {
  if (name !== 'up' && name !== 'down') {
    throw invalidMigration({
      ...place,
      message: `the section "migrate:${name}" is not known.`,
      remedy: 'Known sections: migrate:up and migrate:down.',
    })
  }
  const known = /^(transaction:(true|false))?$/.exec(options.trim())
  if (!known) {
    throw invalidMigration({
      ...place,
      message: `the option "${options.trim()}" of migrate:${name} is not known.`,
      remedy: 'Known option: transaction:false.',
    })
  }
  return { direction: name, transactional: known[2] !== 'false' }
}

/** Downs of several pairs run in reverse, as the pairs undo each other. */
function sectionOf(found: readonly Found[], direction: 'up' | 'down'): SqlSection | null {
  const own = found.filter((entry) => entry.direction === direction)
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

function noUp(place: Place): Error {
  return invalidMigration({
    ...place,
    message: 'there is no "-- migrate:up" line.',
    remedy: 'Begin the statements to apply with "-- migrate:up" and those that undo them with "-- migrate:down".',
  })
}

function misplacedDirective(place: Place, line: number): Error {
  return invalidMigration({
    ...place,
    line,
    message: 'a lockstep: directive stands below "-- migrate:up", where it has no effect.',
    remedy: 'Move it to the top of the file.',
  })
}
