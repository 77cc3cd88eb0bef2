import { beforeAll, describe, expect, it } from 'vitest'
import { segmentsOf } from '../../../../lambda/engine/plan/segments.ts'
import { loadParser } from '../../../../lambda/engine/migration/statements.ts'
import { upStep } from '../../../../lambda/engine/plan/step.ts'
import { sql } from '../../../support/engine.ts'

function cut(scope: 'run' | 'migration', ...ups: readonly string[]): readonly string[] {
  const steps = ups.map((up, index) =>
    upStep({
      migration: sql(`${index + 1}`, up.replace('!', ''), undefined, { transaction: !up.startsWith('!') }),
      parents: [],
    }),
  )
  return segmentsOf(steps, scope).map(
    ({ transactional, steps }) => `${transactional ? '' : '!'}${steps.map((step) => step.id).join('+')}`,
  )
}

describe('segmentsOf', () => {
  beforeAll(loadParser)

  it('puts a run into one transaction', () => {
    expect(cut('run', 'SELECT 1', 'SELECT 2', 'SELECT 3')).toEqual(['1+2+3'])
  })

  it('gives each migration its own in scope migration', () => {
    expect(cut('migration', 'SELECT 1', 'SELECT 2')).toEqual(['1', '2'])
  })

  it('sets apart what runs outside of a transaction', () => {
    expect(cut('run', 'SELECT 1', '!VACUUM', 'SELECT 2', 'SELECT 3')).toEqual(['1', '!2', '3+4'])
  })

  it('cuts after a new enum value, not after a renamed one', () => {
    expect(cut('run', 'SELECT 1', "ALTER TYPE a ADD VALUE 'x'", 'SELECT 2')).toEqual(['1+2', '3'])
    expect(cut('run', 'SELECT 1', "ALTER TYPE a RENAME VALUE 'x' TO 'y'", 'SELECT 2')).toEqual(['1+2+3'])
  })

  it('cuts around SET TRANSACTION', () => {
    expect(cut('run', 'SELECT 1', 'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'SELECT 2')).toEqual(['1', '2', '3'])
  })
})
