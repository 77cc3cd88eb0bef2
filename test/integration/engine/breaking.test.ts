import { describe, expect, it, vi } from 'vitest'
import { createLambdaLog } from '../../../lambda/adapters/lambda-log.ts'
import { deploy, type DeployRequest } from '../../../lambda/engine/deployment/deploy.ts'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import { silentLog } from '../../../lambda/log.ts'
import { createDatabase } from '../../support/database.ts'
import { code, engineFor, fileOf, sql } from '../../support/engine.ts'
import { reportThrownBy } from '../../support/report.ts'

const a = sql('1_a', 'CREATE TABLE a (id int);', 'DROP TABLE a;')
const renamed = fileOf(
  '2_renamed',
  '-- lockstep:breaking old code reads a.id\n-- migrate:up\nALTER TABLE a RENAME id TO key;\n-- migrate:down\nALTER TABLE a RENAME key TO id;',
)
const byCode = code(
  '2_renamed',
  { up: async ({ query }) => void (await query('ALTER TABLE a RENAME id TO key')) },
  "export const breaking = 'old code reads a.id'\nexport async function up(): Promise<void> {}\n",
)

function request(migrations: readonly Migration[], overrides: Partial<DeployRequest>): DeployRequest {
  return {
    migrations,
    target: 'v1',
    previousTarget: null,
    resource: 'stack/resource',
    onRollback: 'revert',
    stackStatus: async () => 'UPDATE_IN_PROGRESS',
    ...overrides,
  }
}

async function migrated(breaking: Migration) {
  const database = await createDatabase()
  const metrics: unknown[] = []
  const errors: string[] = []
  const error = (message: string): void => void errors.push(message)
  const metric = (name: string, value: number): void => void metrics.push([name, value])
  const engine = engineFor(database, { trigger: 'deployment', log: { ...silentLog, metric, error } })
  await deploy(engine, request([a], {}))
  await migrateUp(engine, { migrations: [a, breaking] })
  return { database, engine, metrics, errors }
}

describe('a breaking migration that the database is ahead by', () => {
  it.each([
    ['SQL', renamed],
    ['TypeScript', byCode],
  ])('fails the deployment of code from before it (%s)', async (_kind, breaking) => {
    const { database, engine } = await migrated(breaking)
    const report = await reportThrownBy(() => deploy(engine, request([a], { previousTarget: 'v2' })))
    expect(report).toMatchObject({
      code: 'DATABASE_AHEAD',
      migration: '2_renamed',
      state: 'The database has not been touched.',
      remedy: expect.stringContaining('Deploy the newer commit again'),
    })
    expect(report.message).toContain('2_renamed (old code reads a.id)')
    expect(await database.rows('SELECT id FROM lockstep.migrations ORDER BY id')).toHaveLength(2)
  })

  it('never fails a rollback, but is said loudly and counted', async () => {
    const { engine, metrics, errors } = await migrated(renamed)
    const rollback = { previousTarget: 'v2', stackStatus: async () => 'UPDATE_ROLLBACK_IN_PROGRESS' }
    const result = await deploy(engine, request([a], rollback))
    expect(result).toMatchObject({ status: 'succeeded', current: '2_renamed' })
    expect(result.warnings[0]).toContain('breaking are 2_renamed (old code reads a.id)')
    expect(errors).toEqual(result.warnings)
    expect(metrics).toEqual([['DatabaseAhead', 1]])
  })

  it('does not fail an update of settings alone, nor its rollback', async () => {
    const { engine } = await migrated(renamed)
    expect(await deploy(engine, request([a], { previousTarget: 'v1' }))).toMatchObject({ status: 'succeeded' })
  })
})

describe('a metric', () => {
  it('is one line in the Embedded Metric Format', () => {
    const lines: string[] = []
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0)
    createLambdaLog({ awsRequestId: 'r', set: 'shop' }).metric?.('DatabaseAhead', 2)
    write.mockRestore()
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/\}\n$/)
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      _aws: {
        Timestamp: expect.any(Number),
        CloudWatchMetrics: [
          { Namespace: 'Lockstep', Dimensions: [['Set']], Metrics: [{ Name: 'DatabaseAhead', Unit: 'Count' }] },
        ],
      },
      Set: 'shop',
      DatabaseAhead: 2,
    })
  })
})
