import { describe, expect, it, onTestFinished } from 'vitest'
import type { DriftPolicy } from '../../../lambda/analysis-contract.ts'
import type { Log } from '../../../lambda/log.ts'
import type { EngineContext } from '../../../lambda/engine/context.ts'
import { deploy } from '../../../lambda/engine/deployment/deploy.ts'
import { drift } from '../../../lambda/engine/drift/drift.ts'
import type { Gate } from '../../../lambda/engine/policy/gate.ts'
import { createHistory } from '../../../lambda/engine/history/history-schema.ts'
import { plan } from '../../../lambda/engine/inspect.ts'
import { migrateDown, migrateUp } from '../../../lambda/engine/run/migrate.ts'
import type { Migration, MigrationContext } from '../../../lambda/engine/migration/migration.ts'
import { resolvePolicy } from '../../../lambda/engine/policy/policy.ts'
import { silentLog } from '../../../lambda/log.ts'
import { createDatabase, databaseAt, onServer, type TestDatabase } from '../../support/database.ts'
import { code, engineFor, sql } from '../../support/engine.ts'

const a = sql('1_a', 'CREATE TABLE a (id int, label text);', 'DROP TABLE a;')
const b = sql('2_b', 'CREATE TABLE b (id int);', 'DROP TABLE b;')
const c = sql('3_c', 'CREATE TABLE c (id int);', 'DROP TABLE c;')

const gateOf = (onDrift: DriftPolicy): Gate => ({
  policy: resolvePolicy([{ source: 'property', settings: { onDrift } }]),
  analysis: {},
})

const up = (migrations: readonly Migration[], onDrift: DriftPolicy = 'fail') => ({ migrations, gate: gateOf(onDrift) })

const DRIFTED =
  /^The schema was changed since the run of \S+Z, and not by Lockstep: table public\.a: column label was "text" and is "text not null"; table public\.stray is not Lockstep's\.$/

async function drifted(
  overrides: Partial<EngineContext> = {},
): Promise<{ readonly database: TestDatabase; readonly engine: EngineContext }> {
  const database = await createDatabase()
  const engine = engineFor(database, overrides)
  await migrateUp(engine, up([a]))
  await database.rows('ALTER TABLE a ALTER label SET NOT NULL; CREATE TABLE stray (id int)')
  return { database, engine }
}

const unknown = (why: string): string => `Whether the schema has drifted since the last run cannot be told: ${why}.`

describe('a run on a schema that somebody else has changed', () => {
  it('is refused with onDrift fail, before anything is touched, and goes on when it is taken back', async () => {
    const { database, engine } = await drifted()
    const refusal = migrateUp(engine, up([a, b]))
    await expect(refusal).rejects.toMatchObject({
      report: {
        code: 'SCHEMA_DRIFTED',
        message: expect.stringMatching(DRIFTED),
        state: 'The database has not been touched.',
      },
    })
    await expect(refusal).rejects.toHaveProperty('report.remedy', expect.stringContaining('lockstep drift'))
    expect(
      await database.rows("SELECT to_regclass('b') AS b, (SELECT count(*)::int FROM lockstep.runs) AS runs"),
    ).toEqual([{ b: null, runs: 1 }])
    await database.rows('ALTER TABLE a ALTER label DROP NOT NULL; DROP TABLE stray')
    expect(await migrateUp(engine, up([a, b]))).toMatchObject({ applied: ['2_b'], warnings: [] })
  })

  it('is warned of with onDrift warn, and what it leaves is what the next one compares with', async () => {
    const { engine } = await drifted()
    expect(await migrateUp(engine, up([a, b], 'warn'))).toMatchObject({
      applied: ['2_b'],
      warnings: [expect.stringMatching(DRIFTED)],
    })
    expect(await migrateUp(engine, up([a, b, c]))).toMatchObject({ applied: ['3_c'], warnings: [] })
  })

  it('is not asked about with onDrift ignore, nor when there is nothing to do, nor when it reverts', async () => {
    const { engine } = await drifted()
    expect(await migrateUp(engine, up([a]))).toMatchObject({ runId: null, warnings: [] })
    const reverted = await migrateDown(engine, { ...up([a]), target: { kind: 'steps', steps: 1 } })
    expect(reverted).toMatchObject({ reverted: ['1_a'], warnings: [expect.stringMatching(DRIFTED)] })
    expect(await migrateUp(engine, up([a], 'ignore'))).toMatchObject({ applied: ['1_a'], warnings: [] })
    const blind = await migrateUp(engine, up([a, b]))
    expect(blind).toMatchObject({ applied: ['2_b'], warnings: [unknown('a run since has not recorded what it left')] })
  })

  it('shows in the plan, and on demand', async () => {
    const { engine } = await drifted()
    const wanted = { migrations: [a, b], sql: false, snapshot: 'none' as const }
    const found = await plan(engine, { ...wanted, gate: gateOf('fail') })
    expect(found.problems).toMatchObject([{ code: 'SCHEMA_DRIFTED', message: expect.stringMatching(DRIFTED) }])
    expect((await plan(engine, { ...wanted, gate: gateOf('warn') })).warnings).toEqual([expect.stringMatching(DRIFTED)])
    expect(await drift(engine)).toMatchObject({
      against: 'last run',
      runId: expect.any(String),
      unknown: null,
      differences: [
        {
          kind: 'table',
          identity: 'public.a',
          change: 'changed',
          details: [{ property: 'column label', was: 'text', is: 'text not null' }],
        },
        { kind: 'table', identity: 'public.stray', change: 'added' },
      ],
    })
  })

  it('never holds up the rollback of a deployment', async () => {
    const { database, engine } = await drifted({ trigger: 'deployment' })
    const base = {
      resource: 'stack/r',
      onRollback: 'revert',
      stackStatus: async () => 'UPDATE_ROLLBACK_IN_PROGRESS',
    } as const
    const first = { ...base, ...up([a, b], 'warn'), target: 'v2', previousTarget: 'v1', requestId: 'first' }
    await deploy(engine, { ...first, stackStatus: async () => 'UPDATE_IN_PROGRESS' })
    await database.rows('DROP TABLE stray')
    const back = { ...base, ...up([a]), target: 'v1', previousTarget: 'v2', requestId: 'second' }
    expect(await deploy(engine, back)).toMatchObject({
      reverted: ['2_b'],
      warnings: [expect.stringMatching(/table public\.stray is gone\.$/)],
    })
    await database.rows('CREATE TABLE stray ()')
    // A rollback to what was never applied whole.
    const forward = { ...base, ...up([a, c]), target: 'v0', previousTarget: 'v1', requestId: 'third' }
    expect(await deploy(engine, forward)).toMatchObject({
      applied: ['3_c'],
      warnings: [expect.stringMatching(/table public\.stray is not Lockstep's\.$/)],
    })
    await database.rows('DROP TABLE stray')
    const next = { ...forward, ...up([a, b, c]), stackStatus: async () => 'UPDATE_IN_PROGRESS', requestId: 'fourth' }
    await expect(deploy(engine, { ...next, migrations: [a, c, sql('4_d', 'SELECT 1;')] })).rejects.toMatchObject({
      report: { code: 'SCHEMA_DRIFTED' },
    })
  })
})

describe('a run is never refused for what Lockstep has done itself', () => {
  it('takes the runs of other sets and of other histories into account, also those that record nothing', async () => {
    const database = await createDatabase()
    const [one, two] = [engineFor(database), engineFor(database, { set: 'other' })]
    const elsewhere = engineFor(database, { schema: 'second' })
    await Promise.all([migrateUp(one, up([a])), migrateUp(two, up([b]))])
    expect(await migrateUp(one, up([a, c], 'warn'))).toMatchObject({ applied: ['3_c'] })
    expect(await drift(two)).toMatchObject({ differences: [], unknown: null })
    await migrateUp(elsewhere, up([sql('1_e', 'CREATE TABLE e ();')], 'ignore'))
    expect(await drift(two)).toMatchObject({ differences: [], unknown: 'a run since has not recorded what it left' })
    expect(await migrateUp(two, up([b, sql('3_d', 'CREATE TABLE d ();')]))).toMatchObject({ applied: ['3_d'] })
    expect(await drift(one)).toMatchObject({ differences: [], unknown: null })
  })

  it('is not misled by another set that is at work', async () => {
    const database = await createDatabase()
    const [engine, other] = [engineFor(database), engineFor(database, { set: 'other' })]
    await migrateUp(engine, up([a]))
    const migrations: Migration[] = []
    for (const [id, transaction, unknown] of [
      ['1_within', true, null],
      ['2_outside', false, 'a migration outside of a transaction is under way, or half done'],
    ] as const) {
      const [begun, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const slow = async ({ query }: MigrationContext): Promise<void> => {
        await query(`CREATE TABLE "${id}" ()`)
        begun.resolve()
        await goOn.promise
      }
      migrations.push(code(id, { transaction, up: slow }))
      const run = migrateUp(other, up(migrations))
      await begun.promise
      expect(await drift(engine)).toMatchObject({ differences: [], unknown })
      goOn.resolve()
      await run
      expect(await drift(engine)).toMatchObject({ differences: [], unknown: null })
    }
  })

  it('lets two sets run at the same time, again and again', async () => {
    const database = await createDatabase()
    const runAll = async (set: string): Promise<void> => {
      const engine = engineFor(database, { set })
      const migrations = Array.from({ length: 5 }, (_, n) => sql(`${n}_${set}`, `CREATE TABLE ${set}_${n} (id int);`))
      for (let count = 1; count <= migrations.length; count += 1)
        expect(await migrateUp(engine, up(migrations.slice(0, count)))).toMatchObject({ status: 'succeeded' })
    }
    await Promise.all([runAll('x'), runAll('y')])
    expect((await drift(engineFor(database))).differences).toEqual([])
  })

  it('has nothing to compare with after a run that failed half way outside of a transaction, until one has ended', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    await migrateUp(engine, up([a]))
    const half = sql('2_half', 'CREATE TABLE half ();\nSELECT 1 / 0;', undefined, { transaction: false })
    expect(await migrateUp(engine, up([a, half]))).toMatchObject({ status: 'failed', rolledBack: false })
    expect(await drift(engine)).toMatchObject({ differences: [] })
    const mended = sql('2_half', 'CREATE TABLE half ();\nSELECT 1 / 1;', undefined, {
      transaction: false,
    })
    expect(await migrateUp(engine, up([a, mended]))).toMatchObject({ status: 'succeeded' })
    expect(await drift(engine)).toMatchObject({ differences: [], unknown: null })
  })

  it('keeps what it knows over a run that was rolled back, and learns anew from one that was taken back', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    await migrateUp(engine, up([a]))
    const before = await drift(engine)
    const fails = sql('3_fails', 'SELECT 1 / 0;')
    await migrateUp(engine, up([a, b, fails]))
    expect(await drift(engine)).toEqual(before)
    // Its down leaves the order of columns another one.
    const shuffled = sql('2_drop', 'ALTER TABLE a DROP id;', 'ALTER TABLE a ADD id int;')
    const taken = await migrateUp({ ...engine, scope: 'migration' }, up([a, shuffled, fails]))
    expect(taken).toMatchObject({ status: 'failed', rolledBack: true })
    const after = await drift(engine)
    expect(after).toMatchObject({ differences: [], unknown: null })
    expect(after.runId).not.toBe(before.runId)
  })

  it('compares nothing in a copy of the database, nor with what another version has recorded', async () => {
    const { database, engine } = await drifted()
    const copy = `${database.name}_copy`
    await onServer(`CREATE DATABASE ${copy} TEMPLATE ${database.name}`)
    const there = databaseAt(copy)
    expect(await migrateUp(engineFor(there), up([a, b]))).toMatchObject({
      applied: ['2_b'],
      warnings: [unknown('the database was restored, or copied, since')],
    })
    await onServer(`DROP DATABASE ${copy} WITH (FORCE)`)
    await database.rows("UPDATE lockstep.structure SET facts_version = 'older'")
    expect(await drift(engine)).toMatchObject({ unknown: 'another version of Lockstep has recorded it' })
  })
})

describe('the record of the schema', () => {
  it('is added to histories of before by two sets at once, and missed with a warning', async () => {
    const database = await createDatabase()
    await createHistory(await database.connect(), 'lockstep')
    await migrateUp(engineFor(database), up([a], 'ignore'))
    await database.rows('DROP TABLE lockstep.structure')
    const missing = unknown('no run has recorded what it left')
    const [one, two] = await Promise.all([
      migrateUp(engineFor(database), up([a, b])),
      migrateUp(engineFor(database, { set: 'other' }), up([c])),
    ])
    expect([...one.warnings, ...two.warnings]).toContain(missing)
    expect(await database.rows('SELECT count(*)::int FROM lockstep.structure')).toEqual([{ count: 1 }])
    expect((await drift(engineFor(database))).differences).toEqual([])
  })

  it('is open to whoever may use the history', async () => {
    const database = await createDatabase()
    await migrateUp(engineFor(database), up([a], 'ignore'))
    const [reader, owner] = [`${database.name}_reader`, `${database.name}_owner`]
    await database.rows(`DROP TABLE lockstep.structure; CREATE ROLE ${reader}; CREATE ROLE ${owner};
      GRANT SELECT ON lockstep.migrations TO ${reader}; ALTER TABLE lockstep.migrations OWNER TO ${owner}`)
    onTestFinished(async () => {
      await database.rows(`DROP OWNED BY ${reader}, ${owner}; DROP ROLE ${reader}, ${owner}`)
    })
    await migrateUp(engineFor(database), up([a, b]))
    expect(
      await database.rows(`SELECT has_table_privilege('${reader}', 'lockstep.structure', 'SELECT') AS reader,
        has_table_privilege('${owner}', 'lockstep.structure', 'UPDATE') AS owner`),
    ).toEqual([{ reader: true, owner: true }])
  })

  it('fails no run when it cannot be kept', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    await migrateUp(engine, up([a]))
    await database.rows('DROP TABLE lockstep.structure; CREATE VIEW lockstep.structure AS SELECT 1 AS x')
    const warnings: string[] = []
    const log: Log = { ...silentLog, warn: (message) => void warnings.push(message) }
    expect(await migrateUp({ ...engine, log }, up([a, b]))).toMatchObject({ status: 'succeeded', applied: ['2_b'] })
    expect(warnings.at(-1)).toMatch(/could not be recorded/)
  })

  it('leaves out partitions that come and go, owners, privileges, and what extensions bring', async () => {
    const database = await createDatabase()
    const engine = engineFor(database)
    const parted = sql('1_p', 'CREATE TABLE p (day date) PARTITION BY RANGE (day); CREATE INDEX ON p (day);')
    await migrateUp(engine, up([parted]))
    await database.rows(`CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
      GRANT SELECT ON p TO public; CREATE EXTENSION citext; ALTER DATABASE ${database.name} SET work_mem = '8MB'`)
    expect((await drift(engine)).differences).toMatchObject([
      { kind: 'extension', identity: 'citext', change: 'added' },
    ])
  })
})
