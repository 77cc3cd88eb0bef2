import { expect, test } from 'vitest'
import { plainStyle } from '../../../../cli/render/style.ts'
import { indent, renderFacts, renderTable, wrap } from '../../../../cli/render/table.ts'

test('columns are aligned, numbers to the right, without trailing blanks', () => {
  const rows = [
    ['short', '7', ''],
    ['a longer one', '1,200', 'x'],
    ['é', '1'],
  ]

  expect(renderTable([{ title: 'NAME' }, { title: 'ROWS', align: 'right' }, { title: 'LAST' }], rows, plainStyle)).toBe(
    ['NAME           ROWS  LAST', 'short             7', 'a longer one  1,200  x', 'é                 1'].join('\n'),
  )
})

test('colour takes no room', () => {
  const green = '\u001B[32mok\u001B[39m'

  expect(renderTable([{ title: 'A' }, { title: 'B' }], [[green, 'b']], plainStyle)).toBe(`A   B\n${green}  b`)
})

test('facts have their values aligned', () => {
  expect(
    renderFacts(
      [
        ['Head', 'b'],
        ['Current', 'a'],
      ],
      plainStyle,
    ),
  ).toBe('Head     b\nCurrent  a')
})

test('empty lines are not indented', () => {
  expect(indent('a\n\nb')).toBe('  a\n\n  b')
})

test('lines are broken between words', () => {
  expect(wrap('one two three four-and-twenty\nfive', 9)).toBe('one two\nthree\nfour-and-twenty\nfive')
})
