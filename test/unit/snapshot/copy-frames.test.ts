import { expect, test } from 'vitest'
import { createFrameParser } from '../../../lambda/snapshot/copy-frames.ts'
import { message } from '../../../lambda/snapshot/wire-messages.ts'

/** What a parser makes of a stream that arrives in chunks of this size. */
function parsed(stream: Buffer, chunkBytes: number): { readonly rows: string; readonly messages: readonly string[] } {
  const rows: Buffer[] = []
  const messages: string[] = []
  const parse = createFrameParser({
    onRows: (buffer, start, end) => rows.push(Buffer.from(buffer.subarray(start, end))),
    onMessage: (type, body) => messages.push(`${type}${body.toString()}@${Buffer.concat(rows).length}`),
  })
  for (let offset = 0; offset < stream.length; offset += chunkBytes) {
    // A copy, as a socket gives it: the parser may write into it.
    parse(Buffer.from(stream.subarray(offset, offset + chunkBytes)))
  }
  return { rows: Buffer.concat(rows).toString(), messages }
}

const ROWS = ['1\tone\n', '\n', `2\t${'x'.repeat(300)}\n`, '3\tthree\n']

const STREAM = Buffer.concat([
  message('H', Buffer.from([0, 0, 0])),
  ...ROWS.slice(0, 2).map((row) => message('d', Buffer.from(row))),
  message('N', Buffer.from('a notice between rows')),
  ...ROWS.slice(2).map((row) => message('d', Buffer.from(row))),
  message('d', Buffer.alloc(0)),
  message('c', Buffer.alloc(0)),
  message('C', Buffer.from('COPY 4\0')),
  message('Z', Buffer.from('T')),
])

test('takes rows and messages apart, in order, wherever the stream is cut', () => {
  const whole = parsed(STREAM, STREAM.length)

  expect(whole.rows).toBe(ROWS.join(''))
  expect(whole.messages).toEqual([
    'H\0\0\0@0',
    'Na notice between rows@7',
    `c@${ROWS.join('').length}`,
    `CCOPY 4\0@${ROWS.join('').length}`,
    `ZT@${ROWS.join('').length}`,
  ])
  for (let chunkBytes = 1; chunkBytes < STREAM.length; chunkBytes += 1) {
    expect(parsed(STREAM, chunkBytes)).toEqual(whole)
  }
})

test('hands a long row on in pieces, without collecting it', () => {
  const row = message('d', Buffer.alloc(1000, 'x'))
  const pieces: number[] = []
  const parse = createFrameParser({ onRows: (_, start, end) => pieces.push(end - start), onMessage: () => {} })

  for (let offset = 0; offset < row.length; offset += 100) parse(Buffer.from(row.subarray(offset, offset + 100)))

  expect(pieces).toEqual([95, 100, 100, 100, 100, 100, 100, 100, 100, 100, 5])
})
