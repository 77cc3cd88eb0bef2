import { Annotations, Match } from 'aws-cdk-lib/assertions'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DatabaseMigrationProps } from '../../infra/index.ts'
import { readMigrationDirectory } from '../../lambda/engine/migration/migration-directory.ts'
import { analysisText } from '../../lambda/engine/policy/analysis.ts'
import { createMigration, createStack, migrationsDirectory, SHOP } from './fixtures.ts'

const PROVEN = { verdict: 'proven', detail: '' } as const

function warnings(directory: string, props: Partial<DatabaseMigrationProps>): readonly string[] {
  const stack = createStack()
  createMigration(stack, { migrations: directory, ...props })
  const found = Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('cdk-lockstep:not-proven'))
  return found.map(({ entry }) => JSON.stringify(entry.data))
}

/** A set of which the ids have been tried, looked at, or both, as they are. */
function analysed(known: Readonly<Record<string, 'tried' | 'looked at' | 'both'>>): string {
  const directory = migrationsDirectory()
  const entries = readMigrationDirectory(directory).flatMap(({ id, checksum }) => {
    const how = known[id]
    if (how === undefined) return []
    const proof = how === 'looked at' ? null : PROVEN
    return [[id, { checksum, proof, hazards: how === 'tried' ? null : [], creates: [], locks: null }] as const]
  })
  writeFileSync(join(directory, 'lockstep.analysis.json'), analysisText(Object.fromEntries(entries)))
  return directory
}

describe('migrations that the policy would refuse', () => {
  it('are warned of at synth, with the commands that look at them', () => {
    const [warning] = warnings(migrationsDirectory(), { environment: 'production' })
    expect(warning).toContain('now: 20260101_products, 20260102_orders. What')
    expect(warning).toMatch(/Run \S*lockstep prove --write\S* and \S*lockstep lint --write\S*, and synthesize again/)
  })

  it('are those behind the last one that is known', () => {
    const [warning] = warnings(analysed({ '20260101_products': 'both' }), { environment: 'production' })
    expect(warning).toContain('now: 20260102_orders. What')
    expect(warnings(analysed({ '20260102_orders': 'both' }), { environment: 'production' })).toEqual([])
  })

  it('are known only by what the policy asks for', () => {
    const tried = analysed({ '20260102_orders': 'tried' })
    expect(warnings(tried, { environment: 'production' })).toHaveLength(1)
    expect(warnings(tried, { policy: { requireProof: true } })).toEqual([])
    const [warning] = warnings(tried, { policy: { hazards: 'refuse' } })
    expect(warning).toMatch(/Run \S*lockstep lint --write\S* and/)
  })

  it('are asked about by the policy beside the migrations as well', () => {
    const directory = migrationsDirectory({ ...SHOP, 'lockstep.policy.json': '{"environment":"production"}' })
    expect(warnings(directory, {})).toHaveLength(1)
    expect(warnings(directory, { environment: 'staging' })).toEqual([])
  })

  it('are not warned of where nothing is demanded', () => {
    expect(warnings(migrationsDirectory(), {})).toEqual([])
  })
})
