import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { createByteCursor, type ByteCursor } from '../../../lambda/snapshot/byte-cursor.ts'

function cursorOver(...chunks: readonly string[]): ByteCursor {
  return createByteCursor(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), 'data/x')
}

async function textOf(pieces: AsyncIterable<Buffer>): Promise<string> {
  const found: Buffer[] = []
  for await (const piece of pieces) found.push(piece)
  return Buffer.concat(found).toString()
}

test('reads ranges wherever the chunks end', async () => {
  const cursor = cursorOver('ab', 'cdef', '', 'g', 'hij')
  await cursor.skipTo(1)
  expect(await textOf(cursor.take(4))).toBe('bcde')
  expect(await textOf(cursor.take(0))).toBe('')
  await cursor.skipTo(5)
  await cursor.skipTo(7)
  expect(await textOf(cursor.take(Infinity))).toBe('hij')
  await cursor.drain()
})

test('fails when the object ends before a range does', async () => {
  const cursor = cursorOver('abc')
  await expect(textOf(cursor.take(4))).rejects.toThrow('object data/x ends before byte 4')
})

test('fails when it should go back', async () => {
  const cursor = cursorOver('abc')
  await cursor.skipTo(2)
  await expect(cursor.skipTo(1)).rejects.toThrow('cannot be read backwards')
})
