import { stripVTControlCharacters } from 'node:util'
import type { Style } from './style.ts'

export interface Column {
  readonly title: string
  /** Numbers stand to the right. @default 'left' */
  readonly align?: 'left' | 'right'
}

const GAP = '  '

/** Aligned columns under a line of titles; no trailing blanks. Cells may carry colour. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], style: Style): string {
  const widths = columns.map(({ title }, index) =>
    Math.max(...[title, ...rows.map((row) => row[index] ?? '')].map(widthOf)),
  )
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, index) => pad(cells[index] ?? '', widths[index] ?? 0, align ?? 'left'))
      .join(GAP)
      .trimEnd()
  return [style.quiet(line(columns.map((column) => column.title))), ...rows.map(line)].join('\n')
}

/** Names and values, the values aligned. */
export function renderFacts(facts: readonly (readonly [name: string, value: string])[], style: Style): string {
  const width = Math.max(...facts.map(([name]) => name.length))
  return facts.map(([name, value]) => `${style.quiet(name.padEnd(width))}${GAP}${value}`).join('\n')
}

/** Indents every line that is not empty. */
export function indent(text: string, by = 2): string {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(by))
}

/** Breaks lines between words; a longer word stays whole. */
export function wrap(text: string, width: number): string {
  return text
    .split('\n')
    .map((line) => wrapLine(line, width))
    .join('\n')
}

function wrapLine(line: string, width: number): string {
  const lines: string[] = []
  let current = ''
  for (const word of line.split(' ')) {
    if (current !== '' && current.length + 1 + word.length > width) {
      lines.push(current)
      current = word
    } else {
      current = current === '' ? word : `${current} ${word}`
    }
  }
  return [...lines, current].join('\n')
}

function widthOf(cell: string): number {
  return Array.from(stripVTControlCharacters(cell)).length
}

function pad(cell: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(cell)))
  return align === 'right' ? `${space}${cell}` : `${cell}${space}`
}
