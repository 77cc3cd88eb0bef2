import { maskedText } from '../../mask-secrets.ts'
import type { SqlBlock } from './migration.ts'

/** A place in a migration file, for a person: 1-based line and column, and the line with a caret under it. */
export interface Excerpt {
  readonly line: number
  readonly column: number
  readonly excerpt: string
}

const LONGEST_LINE = 120
const LINES_BEFORE = 2

/** The place of `offset` (UTF-16 units into the block's text), with the two lines above it. Passwords are masked. */
export function excerptAt(block: SqlBlock, offset: number): Excerpt {
  const masked = maskedText(block.text)
  const lines = masked.text.split('\n')
  const index = block.text.slice(0, offset).split('\n').length - 1
  const column = columnOf(block.text, offset)
  const shownColumn = columnOf(masked.text, masked.placeOf(offset))
  const first = Math.max(0, index - LINES_BEFORE)
  const width = String(block.line + index).length
  const shown = lines.slice(first, index + 1).map((text, step) => {
    const number = String(block.line + first + step).padStart(width)
    return first + step === index
      ? `${number} | ${windowOf(text, shownColumn).text}`
      : `${number} | ${text.slice(0, LONGEST_LINE)}`
  })
  const caret = `${' '.repeat(width)} | ${' '.repeat(windowOf(lines[index] ?? '', shownColumn).column - 1)}^`
  return { line: block.line + index, column, excerpt: [...shown, caret].join('\n') }
}

function columnOf(text: string, offset: number): number {
  return offset - text.lastIndexOf('\n', offset - 1)
}

/** A long line is cut around the column, so that the caret stays on the screen. */
function windowOf(text: string, column: number): { readonly text: string; readonly column: number } {
  if (text.length <= LONGEST_LINE) return { text, column }
  const from = Math.max(0, column - LONGEST_LINE / 2)
  const lead = from > 0 ? '…' : ''
  return { text: `${lead}${text.slice(from, from + LONGEST_LINE)}`, column: column - from + lead.length }
}
