import { describe, expect, it } from 'vitest'
import { checksumOf, normalise } from '../../../../lambda/engine/migration/migration-directory.ts'
import { fileOf } from '../../../support/engine.ts'
import { reportThrownBy } from '../../../support/report.ts'

describe('a SQL migration', () => {
  it('has an up and a down with the lines on which they begin', () => {
    const migration = fileOf('1_a', '-- a comment\n-- migrate:up\nSELECT 1;\n\n-- migrate:down\nSELECT 2;\n')
    expect(migration.up).toEqual({ blocks: [{ text: 'SELECT 1;\n', line: 3 }], transactional: true })
    expect(migration.down).toEqual({ blocks: [{ text: 'SELECT 2;\n', line: 6 }], transactional: true })
  })

  it('runs several pairs in order, and their downs in reverse', () => {
    const migration = fileOf('1_a', '-- migrate:up\nA\n-- migrate:down\na\n-- migrate:up\nB\n-- migrate:down\nb')
    expect(migration.up.blocks.map((block) => block.text)).toEqual(['A', 'B'])
    expect(migration.down?.blocks.map((block) => block.text)).toEqual(['b', 'a'])
  })

  it('takes a down without a statement for none', () => {
    expect(fileOf('1_a', '-- migrate:up\nSELECT 1;\n-- migrate:down\n-- nothing /* yet */\n;\n').down).toBeNull()
  })

  it('reads transaction:false for each direction', () => {
    const migration = fileOf('1_a', '-- migrate:up transaction:false\nA\n-- migrate:down\nb')
    expect([migration.up.transactional, migration.down?.transactional]).toEqual([false, true])
  })

  it('reads the directives at the top', () => {
    const text = `-- lockstep:after 0_x, 0_y
-- lockstep:irreversible drops a column
-- lockstep:breaking old code reads it
-- lockstep:allow drop-column nobody reads it
-- lockstep:lock-timeout 2s
-- lockstep:statement-timeout 10min
-- migrate:up
SELECT 1;`
    expect(fileOf('1_a', text).directives).toEqual({
      after: ['0_x', '0_y'],
      irreversible: 'drops a column',
      breaking: 'old code reads it',
      allow: [{ hazard: 'drop-column', reason: 'nobody reads it' }],
      lockTimeoutMs: 2000,
      statementTimeoutMs: 600_000,
    })
  })

  it('reads what it requires and what it verifies', () => {
    const text = '-- migrate:require\nSELECT 1;\n-- migrate:up\nA\n-- migrate:verify\nSELECT 2;'
    expect(fileOf('1_a', text)).toMatchObject({
      up: { blocks: [{ text: 'A', line: 4 }] },
      down: null,
      require: [{ text: 'SELECT 1;', line: 2 }],
      verify: [{ text: 'SELECT 2;', line: 6 }],
    })
  })

  it('has the same checksum with CRLF line endings and a byte order mark', () => {
    const text = '-- migrate:up\nSELECT 1;\n'
    expect(checksumOf(normalise(`\uFEFF${text.replaceAll('\n', '\r\n')}`))).toBe(checksumOf(text))
  })

  it.each([
    ['SELECT 1;', { message: '1_a.sql: there is no "-- migrate:up" line.' }],
    ['-- migrate:down\nSELECT 1;', { message: '1_a.sql: there is no "-- migrate:up" line.' }],
    [
      'SELECT 0;\n-- migrate:up\n',
      { message: '1_a.sql, line 1: there is SQL above the first "-- migrate:up".', line: 1 },
    ],
    [
      '-- migrate:up\n-- migrate:verfy\n',
      { message: '1_a.sql, line 2: the section "migrate:verfy" is not known.', line: 2 },
    ],
    [
      '-- migrate:up\n-- migrate:verify transaction:false\n',
      { message: '1_a.sql, line 2: the option "transaction:false" of migrate:verify is not known.', line: 2 },
    ],
    [
      '-- lockstep:lock-timeout 1s\n-- lockstep:lock-timeout 2s\n-- migrate:up\n',
      { message: '1_a.sql, line 2: the directive lockstep:lock-timeout stands there twice.', line: 2 },
    ],
    [
      '-- migrate:up transaction:no\n',
      { message: '1_a.sql, line 1: the option "transaction:no" of migrate:up is not known.' },
    ],
    [
      '-- lockstep:befor x\n-- migrate:up\n',
      { message: '1_a.sql, line 1: the directive lockstep:befor is not known.' },
    ],
    [
      '-- lockstep:lock-timeout soon\n-- migrate:up\n',
      { message: expect.stringContaining('"soon", which is no duration') },
    ],
    ['-- lockstep:allow drop-column\n-- migrate:up\n', { message: expect.stringContaining('has no reason') }],
    [
      '-- migrate:up\n-- lockstep:breaking x\n',
      { message: expect.stringContaining('stands below "-- migrate:up"'), line: 2 },
    ],
  ])('is refused when it is wrong: %j', async (text, expected) => {
    expect(await reportThrownBy(() => fileOf('1_a', text))).toMatchObject({
      code: 'MIGRATION_INVALID',
      migration: '1_a',
      ...expected,
    })
  })
})
