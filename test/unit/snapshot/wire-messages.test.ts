import { expect, test } from 'vitest'
import {
  createReadyCounter,
  message,
  takeRequests,
  takeStartup,
  welcome,
} from '../../../lambda/snapshot/wire-messages.ts'

const ready = message('Z', Buffer.from('I'))
const row = message('D', Buffer.from('Z\0\0\0\x05I'.repeat(10)))
const empty = message('I', Buffer.alloc(0))
const query = message('Q', Buffer.from('SELECT 1\0'))
const parse = message('P', Buffer.from('\0SELECT 1\0\0\0'))
const sync = message('S', Buffer.alloc(0))
const terminate = message('X', Buffer.alloc(0))

function packet(code: number, body = ''): Buffer {
  const bytes = Buffer.alloc(8 + body.length)
  bytes.writeInt32BE(bytes.length, 0)
  bytes.writeInt32BE(code, 4)
  bytes.write(body, 8)
  return bytes
}

test.each([1, 2, 5, 7, 1000])('counts answers in a stream that is cut into pieces of %i bytes', (size) => {
  const stream = Buffer.concat([row, empty, ready, row, ready])
  const count = createReadyCounter()
  let total = 0
  for (let start = 0; start < stream.length; start += size) total += count(stream.subarray(start, start + size))
  expect(total).toBe(2)
})

test('is not fooled by what looks like an answer inside a row', () => {
  expect(createReadyCounter()(row)).toBe(0)
})

test('takes whole requests up to the last that wants an answer', () => {
  const half = query.subarray(0, 6)
  expect(takeRequests(Buffer.concat([query, parse, half]))).toEqual({
    complete: query,
    rest: Buffer.concat([parse, half]),
    answers: 1,
  })
  expect(takeRequests(Buffer.concat([parse, sync, query]))).toMatchObject({ answers: 2, rest: Buffer.alloc(0) })
  expect(takeRequests(half)).toEqual({ complete: Buffer.alloc(0), rest: half, answers: 0 })
})

test('keeps the goodbye back', () => {
  expect(takeRequests(Buffer.concat([query, terminate]))).toEqual({
    complete: query,
    rest: Buffer.alloc(0),
    answers: 1,
  })
})

test('tells a request for encryption from a log-in', () => {
  const login = packet(196_608, 'user\0postgres\0\0')
  expect(takeStartup(Buffer.concat([packet(80_877_103), login]))).toEqual({ kind: 'encryption', rest: login })
  expect(takeStartup(packet(80_877_104))?.kind).toBe('encryption')
  expect(takeStartup(login)).toEqual({ kind: 'login', rest: Buffer.alloc(0) })
  expect(takeStartup(login.subarray(0, 7))).toBeNull()
  expect(takeStartup(login.subarray(0, 20))).toBeNull()
})

test('welcomes with the parameters of the server, ready for queries', () => {
  const bytes = welcome({ server_version: '18.4' })
  expect(bytes.toString('latin1')).toContain('server_version\x0018.4\x00')
  expect(createReadyCounter()(bytes)).toBe(1)
})
