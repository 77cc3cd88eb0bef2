import { describe, expect, it } from 'vitest'
import { parseTypeScriptMigration } from '../../../../lambda/engine/migration/typescript-migration.ts'

function read(exports: Readonly<Record<string, unknown>>) {
  return parseTypeScriptMigration({ migration: '1_a', file: '1_a.ts', source: '', checksum: '', exports })
}

const up = (): void => {}

describe('a TypeScript migration', () => {
  it('exports functions, and settings as constants', () => {
    const settings = {
      transaction: false,
      after: '0_x',
      breaking: 'b',
      allow: { lock: 'why' },
      lockTimeout: '2s',
      statementTimeout: '1min',
    }
    expect(read({ up, down: up, ...settings })).toMatchObject({
      kind: 'ts',
      transactional: false,
      directives: {
        after: ['0_x'],
        breaking: 'b',
        irreversible: null,
        allow: [{ hazard: 'lock', reason: 'why' }],
        lockTimeoutMs: 2000,
        statementTimeoutMs: 60_000,
      },
    })
  })

  it.each([
    [{}, 'it does not export a function "up"'],
    [{ up, down: 1 }, '"down" is not a function'],
    [{ up, dwon: up }, 'it exports dwon, which is not known'],
    [{ up, after: 1 }, '"after" is not a list of ids'],
    [{ up, lockTimeout: 'soon' }, '"lockTimeout" is "soon", which is no duration'],
    [{ up, irreversible: true }, '"irreversible" is not a text'],
  ])('is refused when it is wrong: %j', (exports, message) => {
    expect(() => read(exports)).toThrow(message)
  })
})
