import { expect, test } from 'vitest'
import { createPgDumpMemory, type PgDumpMemory } from '../../../lambda/snapshot/pg-dump-memory.ts'
import { message } from '../../../lambda/snapshot/wire-messages.ts'

function query(sql: string): Uint8Array {
  return message('Q', Buffer.from(`${sql}\0`))
}

/** Asks once, hears the answer, and says what would be answered the next time. */
function answered(memory: PgDumpMemory, request: Uint8Array, ...chunks: readonly string[]): string | null {
  expect(memory.recall(request)).toBeNull()
  memory.listen(request)
  for (const chunk of chunks) memory.hear(Buffer.from(chunk))
  return memory.recall(request)?.toString() ?? null
}

test('an answer is known once it is whole, in however many chunks it came', () => {
  const memory = createPgDumpMemory()
  expect(answered(memory, query('SELECT oid FROM pg_class'), 'one ', 'and two')).toBe('one and two')
  expect(memory.recall(query('SELECT oid FROM pg_type'))).toBeNull()
})

test.each([
  ['a setting', query("SELECT pg_catalog.set_config('search_path', '', false)")],
  ['a setting', query('SET search_path = a')],
  ['a lock', query('LOCK TABLE a IN ACCESS SHARE MODE')],
  ['what is prepared', query('PREPARE dumpFunc(oid) AS SELECT 1')],
  ['several messages', Buffer.concat([query('SELECT 1'), query('SELECT 2')])],
  ['the extended protocol', message('P', Buffer.from('SELECT 1\0'))],
])('%s is asked of the server each time', (_what, request) => {
  expect(answered(createPgDumpMemory(), request, 'answer')).toBeNull()
})

test('what was heard of an answer that was cut off is not taken for all of it', () => {
  const memory = createPgDumpMemory()
  const request = query('SELECT 1')
  memory.listen(request)
  memory.hear(Buffer.from('half'))
  memory.stop()
  expect(memory.recall(request)).toBeNull()
})

test('no more is kept than a function can afford', () => {
  const memory = createPgDumpMemory()
  const chunk = 'x'.repeat(1024 * 1024)
  expect(answered(memory, query('SELECT large'), ...Array.from({ length: 20 }, () => chunk))).toBeNull()
  expect(answered(memory, query('SELECT small'), 'answer')).toBeNull()
})
