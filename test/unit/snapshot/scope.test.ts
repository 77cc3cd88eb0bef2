import { describe, expect, test } from 'vitest'
import { matchesTable, parsePatterns, parseScope } from '../../../lambda/snapshot/scope.ts'

describe('parseScope', () => {
  test.each([
    ['database', { kind: 'database' }],
    ['affected', { kind: 'affected' }],
    ['schemas:shop', { kind: 'schemas', schemas: ['shop'] }],
    ['schemas: shop , tenant_* ,"a,b.c"', { kind: 'schemas', schemas: ['shop', 'tenant_*', '"a,b.c"'] }],
  ])('reads %s', (text, scope) => {
    expect(parseScope(text)).toEqual(scope)
  })

  test.each(['', 'schemas', 'schemas:', 'schemas:a,', 'schemas:,a', 'schemas:a.b', 'schemas:a b', 'Database'])(
    'does not take "%s"',
    (text) => {
      expect(parseScope(text)).toBeNull()
    },
  )
})

describe('patterns', () => {
  test.each([
    ['a.b', ['a.b']],
    [' a.b , c.* ', ['a.b', 'c.*']],
    ['"my.schema"."t,1"', ['"my.schema"."t,1"']],
  ])('reads %s', (text, patterns) => {
    expect(parsePatterns(text)).toEqual(patterns)
  })

  test.each(['', 'a', 'a.', '.b', 'a.b.c', 'a.b;c.d', 'a.b,', 'a."b', 'a..b'])('does not take "%s"', (text) => {
    expect(parsePatterns(text)).toBeNull()
  })

  test.each([
    ['public.events', 'public', 'events', true],
    ['public.events', 'public', 'events_1', false],
    ['public.Events', 'public', 'events', false],
    ['public.events*', 'public', 'events_1', true],
    ['*.log', 'audit', 'log', true],
    ['*.*_log', 'audit', 'x\ny_log', true],
    ['a_b.c', 'aXb', 'c', false],
    ['public.[a]+(x)', 'public', '[a]+(x)', true],
    ['public."a*"', 'public', 'a*', true],
    ['public."a*"', 'public', 'ab', false],
    ['"say ""x"""."a.b"', 'say "x"', 'a.b', true],
  ])('%s on %s.%s: %s', (pattern, schema, name, matches) => {
    expect(matchesTable(pattern, { schema, name })).toBe(matches)
  })
})
