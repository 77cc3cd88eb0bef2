import { expect, test } from 'vitest'
import type { Analysis } from '../../../lambda/engine/policy/analysis.ts'
import { deploy } from '../../../lambda/engine/deployment/deploy.ts'
import type { Gate } from '../../../lambda/engine/policy/gate.ts'
import { plan } from '../../../lambda/engine/inspect.ts'
import { migrateDown, migrateUp } from '../../../lambda/engine/run/migrate.ts'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import { resolvePolicy } from '../../../lambda/engine/policy/policy.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { engineFor, sql } from '../../support/engine.ts'

const production = resolvePolicy([{ source: 'property', settings: { environment: 'production', onDrift: 'ignore' } }])

const create = sql('1_create', 'CREATE TABLE t (id int PRIMARY KEY, a int);', 'DROP TABLE t;')
const require = sql('2_require', 'ALTER TABLE t ALTER a SET NOT NULL;', 'ALTER TABLE t ALTER a DROP NOT NULL;')

/** What lint and prove would have written. */
function analysisOf(...migrations: readonly Migration[]): Analysis {
  const scan = {
    id: 'set-not-null-scans',
    severity: 'error',
    line: 2,
    relation: 'public.t',
    detail: 'scans public.t',
    safe: null,
    rules: [],
  } as const
  return Object.fromEntries(
    migrations.map(({ id, checksum }) => {
      const hazards = id === require.id ? [scan] : []
      return [id, { checksum, proof: { verdict: 'proven', detail: '' } as const, hazards, creates: [] }]
    }),
  )
}

const gateOf = (confirm: string | null = null): Gate => ({
  policy: production,
  analysis: analysisOf(create, require),
  confirm,
})

const request = (migrations: readonly Migration[], gate: Gate) => ({
  migrations,
  gate,
  takeSnapshot: async () => 'file:///somewhere',
})

/** A table that is large enough to matter, by what the server says of it. */
async function fill(database: TestDatabase): Promise<void> {
  await database.rows(`INSERT INTO t SELECT n, n FROM generate_series(1, 100) n; ANALYZE t;
    UPDATE pg_class SET reltuples = 2000000 WHERE relname = 't'`)
}

test('production refuses a hazard on a large table before anything is touched, and passes it on a small one', async () => {
  const database = await createDatabase()
  const context = engineFor(database)
  await migrateUp(context, { migrations: [create] })
  await fill(database)
  const run = migrateUp(context, request([create, require], gateOf()))
  await expect(run).rejects.toMatchObject({ report: { code: 'HAZARD_REFUSED', migration: '2_require' } })
  const planned = await plan(context, { migrations: [create, require], sql: false, snapshot: 'none', gate: gateOf() })
  expect(planned.problems.map(({ code }) => code)).toEqual(['HAZARD_REFUSED'])
  expect(await database.rows('SELECT count(*)::int AS runs FROM lockstep.runs')).toEqual([{ runs: 1 }])
  await database.rows("UPDATE pg_class SET reltuples = 100 WHERE relname = 't'")
  expect(await migrateUp(context, request([create, require], gateOf()))).toMatchObject({ status: 'succeeded' })
})

function outside(second: string): Migration {
  const text = `CREATE TABLE IF NOT EXISTS more (id int);\n${second};`
  return sql('2_more', text, undefined, { transaction: false })
}

test('production refuses what makes a table that is there by another way, but goes on with what it has begun itself', async () => {
  const database = await createDatabase()
  const context = engineFor(database)
  const gateFor = (more: Migration): Gate => ({
    policy: production,
    confirm: null,
    analysis: {
      ...analysisOf(create),
      [more.id]: {
        checksum: more.checksum,
        proof: { verdict: 'irreversible', detail: '' },
        hazards: [],
        creates: ['public.more'],
      },
    },
  })
  await migrateUp(context, { migrations: [create] })
  const [wrong, right] = [outside('SELECT nothing'), outside('SELECT 1')]

  await database.rows('CREATE TABLE more (id int)')
  await expect(migrateUp(context, request([create, right], gateFor(right)))).rejects.toMatchObject({
    report: { code: 'HAZARD_REFUSED', message: expect.stringContaining('makes public.more, which is there already') },
  })
  await database.rows('DROP TABLE more')
  expect(await migrateUp(context, request([create, wrong], gateFor(wrong)))).toMatchObject({ status: 'failed' })
  expect(await database.rows('SELECT * FROM more')).toEqual([])
  const again = await migrateUp(context, request([create, right], gateFor(right)))
  expect(again).toMatchObject({ status: 'succeeded', applied: ['2_more'] })
})

test("a first deployment of everything passes: what the run makes is nobody else's yet", async () => {
  const database = await createDatabase()
  const result = await migrateUp(engineFor(database), request([create, require], gateOf()))
  expect(result).toMatchObject({ status: 'succeeded', applied: ['1_create', '2_require'] })
})

test('a revert on demand must name the database, and the rollback of a deployment must not', async () => {
  const database = await createDatabase()
  const context = engineFor(database)
  await migrateUp(context, { migrations: [create] })
  const down = (confirm: string | null) =>
    migrateDown(context, { ...request([create], gateOf(confirm)), target: { kind: 'steps', steps: 1 } })
  await expect(down(null)).rejects.toMatchObject({ report: { code: 'CONFIRMATION_REQUIRED' } })
  await expect(down('another')).rejects.toMatchObject({ report: { code: 'CONFIRMATION_REQUIRED' } })

  const deploying = engineFor(database, { trigger: 'deployment' })
  const deployment = { resource: 'stack/Migration', onRollback: 'revert', stackStatus: async () => null } as const
  const forward = { ...request([create, require], gateOf()), ...deployment, target: 'two', previousTarget: 'one' }
  expect(await deploy(deploying, forward)).toMatchObject({ status: 'succeeded', applied: ['2_require'] })
  const rollback = {
    ...request([create], gateOf()),
    ...deployment,
    target: 'one',
    previousTarget: 'two',
    stackStatus: async () => 'UPDATE_ROLLBACK_IN_PROGRESS',
  }
  expect(await deploy(deploying, rollback)).toMatchObject({ status: 'succeeded', reverted: ['2_require'] })

  expect(await down(database.name)).toMatchObject({ status: 'succeeded', reverted: ['1_create'] })
})

test('a hazard on a partitioned table is weighed with its partitions', async () => {
  const database = await createDatabase()
  const context = engineFor(database)
  const parts = sql('1_create', 'CREATE TABLE t (id int, a int) PARTITION BY LIST (id);', 'DROP TABLE t;')
  await migrateUp(context, { migrations: [parts] })
  await database.rows(`CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); INSERT INTO t VALUES (1, 1); ANALYZE t;
    UPDATE pg_class SET reltuples = 2000000 WHERE relname = 't1'`)
  const gate = { ...gateOf(), analysis: analysisOf(parts, require) }
  await expect(migrateUp(context, request([parts, require], gate))).rejects.toMatchObject({
    report: { message: expect.stringMatching(/public\.t has [\d.]+ kB, 2,000,000 rows/) },
  })
})

test('rows that violate what a migration demands are found in the live database before anything is touched', async () => {
  const database = await createDatabase()
  const context = engineFor(database)
  const all = sql(
    '2_all',
    `ALTER TABLE t ALTER a SET NOT NULL;
ALTER TABLE t ADD CONSTRAINT t_b_key UNIQUE (b), ADD CHECK (b <> ')' AND length(b) < 3);
ALTER TABLE t ADD FOREIGN KEY (other) REFERENCES other;
ALTER TABLE t ADD COLUMN c int NOT NULL;
ALTER TABLE t VALIDATE CONSTRAINT later;`,
  )
  await migrateUp(context, { migrations: [create] })
  await database.rows(`CREATE TABLE other (id int PRIMARY KEY); ALTER TABLE t ADD COLUMN b text, ADD COLUMN other int;
    INSERT INTO other VALUES (1); INSERT INTO t (id, a, b, other) VALUES (1, 1, 'x', 1), (2, NULL, 'x', 9), (3, 3, 'long', NULL);
    ALTER TABLE t ADD CONSTRAINT later CHECK (id > 1) NOT VALID`)
  const gate: Gate = {
    ...gateOf(),
    policy: resolvePolicy([{ source: 'option', settings: { environment: 'staging', onDrift: 'ignore' } }]),
  }
  const request = { migrations: [create, all], sql: false, snapshot: 'none', gate } as const
  expect((await plan(context, request)).warnings).toEqual([
    '2_all.sql, line 2: existing-data-violates: t demands a NOT NULL, and 1 row violates it',
    '2_all.sql, line 3: existing-data-violates: t demands UNIQUE (b), and 1 row violates it',
    "2_all.sql, line 3: existing-data-violates: t demands CHECK (b <> ')' AND length(b) < 3), and 1 row violates it",
    '2_all.sql, line 4: existing-data-violates: t demands FOREIGN KEY (other) REFERENCES other, and 1 row violates it',
    '2_all.sql, line 5: existing-data-violates: t demands a value in the new column c, and 3 rows violate it',
    '2_all.sql, line 6: existing-data-violates: t demands CHECK ((id > 1)), and 1 row violates it',
  ])
  const refusing = {
    ...gate,
    policy: resolvePolicy([
      { source: 'option', settings: { environment: 'staging', hazards: 'refuse', onDrift: 'ignore' } },
    ]),
  }
  const analysis = { ...gate.analysis, [all.id]: { checksum: all.checksum, proof: null, hazards: [], creates: [] } }
  await expect(
    migrateUp(context, { migrations: [create, all], gate: { ...refusing, analysis } }),
  ).rejects.toMatchObject({
    report: { code: 'HAZARD_REFUSED', message: expect.stringContaining('existing-data-violates') },
  })
  const corrected = sql('2_all', `UPDATE t SET a = 0 WHERE a IS NULL; ALTER TABLE t ALTER a SET NOT NULL;`)
  const known = { [corrected.id]: { checksum: corrected.checksum, proof: null, hazards: [], creates: [] } }
  const run = await migrateUp(context, { migrations: [create, corrected], gate: { ...refusing, analysis: known } })
  expect(run).toMatchObject({ status: 'succeeded', warnings: [expect.stringContaining('unless an earlier statement')] })
})

test('rows of a column, or a table, that the run itself converts or replaces refuse nothing', async () => {
  const database = await createDatabase()
  const context = engineFor(database)
  await migrateUp(context, { migrations: [create] })
  await database.rows('ALTER TABLE t ADD COLUMN there int; INSERT INTO t (id) VALUES (1), (2)')
  const policy = resolvePolicy([
    { source: 'option', settings: { environment: 'staging', hazards: 'refuse', onDrift: 'ignore' } },
  ])
  const run = (up: string) => {
    const next = sql('2_next', up, 'SELECT 1;')
    const analysis = { [next.id]: { checksum: next.checksum, proof: null, hazards: [], creates: [] } }
    return plan(context, { migrations: [create, next], sql: false, snapshot: 'none', gate: { policy, analysis } })
  }
  const replaced = await run(
    `ALTER TABLE t RENAME TO old; CREATE TABLE t (id int, a int); ALTER TABLE t ALTER a SET NOT NULL;`,
  )
  const converted = await run('ALTER TABLE t ALTER a TYPE bigint USING coalesce(a, 0), ALTER a SET NOT NULL;')
  const again = await run(
    'ALTER TABLE t DROP COLUMN a; ALTER TABLE t ADD COLUMN a int DEFAULT 1; ALTER TABLE t ALTER a SET NOT NULL;',
  )
  const unsure = [expect.stringContaining('unless an earlier statement')]
  for (const { problems, warnings } of [replaced, converted, again]) {
    expect(problems).toEqual([])
    expect(warnings).toEqual(unsure)
  }
  const elsewhere = await run(
    'CREATE TABLE new (id int); ALTER TABLE new DROP COLUMN id; ALTER TABLE t ALTER a SET NOT NULL;',
  )
  expect(elsewhere.problems).toHaveLength(1)
  expect(await run('ALTER TABLE t ADD COLUMN IF NOT EXISTS there int NOT NULL;')).toMatchObject({
    problems: [],
    warnings: [],
  })
  expect((await run('ALTER TABLE t ADD COLUMN IF NOT EXISTS missing int NOT NULL;')).problems).toHaveLength(1)
})
