import { join } from 'node:path'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { findHistoryDrift, type DriftFindings, type DriftOptions } from '../../../cli/drift/drift.ts'
import { perform } from '../../../lambda/actions.ts'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { checksumOf, readMigrationDirectory } from '../../../lambda/engine/migration/migration-directory.ts'
import { buildGraph } from '../../../lambda/engine/plan/migration-graph.ts'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import { loadParser } from '../../../lambda/engine/migration/statements.ts'
import { createDatabase, databaseAt, onServer, type TestDatabase } from '../../support/database.ts'
import { engineFor, repeatable, sql } from '../../support/engine.ts'
import { lockstepFor } from '../../support/lockstep.ts'
import { writeFiles } from '../../support/source-files.ts'
import { runCli } from '../cli/run-cli.ts'
import { RICH_SCHEMA } from '../snapshot/rich-schema.ts'

const EXAMPLE = join(import.meta.dirname, '..', '..', '..', 'migrations')

const USERS = sql(
  '1_users',
  `CREATE TABLE users (id int PRIMARY KEY, name varchar(20) CHECK (name IN ('a', 'b')), age int);
CREATE VIEW adults AS SELECT id, name FROM users WHERE age >= 18;
CREATE FUNCTION answer() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;`,
)

async function driftOf(
  database: TestDatabase,
  migrations: readonly Migration[] = [],
  options: Partial<Pick<DriftOptions, 'ignore' | 'reconcile'>> = {},
): Promise<DriftFindings> {
  await loadParser()
  return findHistoryDrift(await database.connect(), {
    url: database.url,
    files: { schema: 'lockstep', set: 'default', graph: buildGraph(migrations), archive: null },
    shadow: { url: inject('serverUrl') },
    ignore: [],
    reconcile: null,
    signal: new AbortController().signal,
    ...options,
  })
}

async function migrated(...migrations: readonly Migration[]): Promise<TestDatabase> {
  const database = await createDatabase()
  expect(await migrateUp(engineFor(database), { migrations })).toMatchObject({ status: 'succeeded' })
  return database
}

const NONE = { differences: [], notes: [], offers: null }

/** `change kind identity`, and the properties that changed. */
function told({ differences }: DriftFindings): readonly string[] {
  return differences.map(({ change, kind, identity, details }) => {
    const properties = change === 'changed' ? `: ${details.map(({ property }) => property).join(', ')}` : ''
    return `${change} ${kind} ${identity}${properties}`
  })
}

describe('drift finds none in what Lockstep alone has changed', () => {
  it('with the example migrations, by their files and by the history alone', async () => {
    const migrations = readMigrationDirectory(EXAMPLE)
    const database = await migrated(...migrations)
    expect(await driftOf(database, migrations)).toMatchObject({ ...NONE, replayed: 10 })
    expect(await driftOf(database)).toMatchObject({ ...NONE, replayed: 10 })
  })

  it('with everything that a schema can hold, and repeatables that changed', async () => {
    const rich = sql('1_rich', RICH_SCHEMA, undefined, { transaction: false })
    const database = await migrated(rich, repeatable('v', 'CREATE OR REPLACE VIEW v AS SELECT 1 AS a;'))
    const again = repeatable('v', 'CREATE OR REPLACE VIEW v AS SELECT 1 AS a, 2 AS b;')
    await migrateUp(engineFor(database), { migrations: [rich, again] })
    expect(await driftOf(database)).toMatchObject({ ...NONE, replayed: 3 })
  })

  it('after a restore, which writes expressions in another way', async () => {
    const database = await migrated(USERS, sql('2_drop', 'ALTER TABLE users DROP COLUMN id CASCADE;'))
    const lockstep = lockstepFor(database.url, await writeFiles({}), {
      snapshots: { location: await writeFiles({}), kmsKeyId: null },
    })
    const { uri } = (await perform(lockstep, { action: 'snapshot' })) as { readonly uri: string }
    const into = `${database.name}_restored`
    await perform(lockstep, { action: 'restore', uri, into })
    onTestFinished(() => onServer(`DROP DATABASE IF EXISTS ${into} WITH (FORCE)`))
    expect(await driftOf(databaseAt(into))).toMatchObject(NONE)
  })

  it('in several sets, with settings of the database, and beside what was half done', async () => {
    const database = await createDatabase()
    await database.rows(`ALTER DATABASE ${database.name} SET search_path = app, public`)
    const schema = sql('1_schema', 'CREATE SCHEMA app; CREATE TABLE inside (at timestamptz);')
    await migrateUp(engineFor(database), { migrations: [schema] })
    await migrateUp(engineFor(database, { set: 'other' }), {
      migrations: [sql('1_o', 'ALTER TABLE inside ADD o int;')],
    })
    await migrateUp(engineFor(database, { schema: 'elsewhere' }), { migrations: [sql('1_e', 'CREATE TABLE e ();')] })
    expect(await driftOf(database)).toMatchObject({ ...NONE, replayed: 3 })
    const half = sql('2_half', 'CREATE TABLE half ();\nSELECT 1 / 0;', undefined, { transaction: false })
    await migrateUp(engineFor(database), { migrations: [schema, half] })
    const found = await driftOf(database)
    expect(told(found)).toEqual(['added table app.half'])
    expect(found.notes).toEqual(['2_half has run up to its statement 1: what it has done so far shows as drift'])
  })
})

describe('drift', () => {
  it('shows what is only in the database, what is missing, and what is another, and SQL that was tried', async () => {
    const database = await migrated(USERS)
    await database.rows(`DROP VIEW adults; ALTER TABLE users ALTER age TYPE bigint, ADD COLUMN mail text NOT NULL DEFAULT '';
      CREATE INDEX by_mail ON users (mail); CREATE TABLE "Scratch" (id int); CREATE TYPE mood AS ENUM ('good');
      CREATE OR REPLACE FUNCTION answer() RETURNS int LANGUAGE sql AS $$ SELECT 42 $$; COMMENT ON TABLE users IS 'people'`)
    const found = await driftOf(database, [USERS], { reconcile: 'adopt' })
    expect(told(found)).toEqual([
      'added comment table public.users',
      'added table public."Scratch"',
      'missing view public.adults',
      'changed function public.answer(): definition',
      'changed table public.users: column age, column mail, index by_mail',
      'added enum public.mood',
    ])
    expect(found.differences.at(4)?.details[0]).toEqual({ property: 'column age', was: 'integer', is: 'bigint' })
    const { revert, adopt } = found.offers ?? {}
    expect(revert).toMatchObject({ failure: null, left: [] })
    expect(revert?.destructive.join()).toMatch(/DROP COLUMN "mail".*DROP TABLE "public"."Scratch"/s)
    expect(adopt).toMatchObject({ failure: null, left: [], destructive: [] })
    // What was tried on a copy holds for the database.
    await database.rows(revert?.sql ?? '')
    expect(await driftOf(database)).toMatchObject(NONE)
    await database.rows(adopt?.sql ?? '')
    expect(told(await driftOf(database))).toEqual(told(found))
  })

  it('says what the offered SQL leaves', async () => {
    const database = await migrated(USERS)
    await database.rows('ALTER TABLE users ALTER name SET STATISTICS 500')
    const { offers } = await driftOf(database, [USERS], { reconcile: 'revert' })
    expect(offers?.revert).toMatchObject({
      failure: null,
      left: [{ kind: 'table', identity: 'public.users', details: [{ property: 'column name' }] }],
    })
  })

  it('sees what pg_dump does not write: invalid indexes and triggers that are off', async () => {
    const database = await migrated(
      USERS,
      sql('2_ref', 'CREATE TABLE ref (id int REFERENCES users); CREATE INDEX i ON ref (id);'),
    )
    await database.rows(`UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass;
      ALTER TABLE ref DISABLE TRIGGER ALL`)
    const [only, ...others] = (await driftOf(database)).differences
    expect(others).toEqual([])
    expect(only).toMatchObject({ identity: 'public.ref', change: 'changed' })
    expect(only?.details.map(({ property }) => property)).toEqual([
      'index i',
      'internal trigger of ref_id_fkey',
      'internal trigger of ref_id_fkey',
    ])
  })

  it('leaves out what was asked for and partitions that come and go, also of what it offers', async () => {
    const database = await migrated(sql('1_p', 'CREATE TABLE p (day date) PARTITION BY RANGE (day);'))
    await database.rows(`CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
      CREATE TABLE tool_a (); CREATE PUBLICATION dbz_p; CREATE TABLE stray (); GRANT SELECT ON p TO public`)
    const ignore = ['public.tool_*', 'publication.dbz_*']
    const found = await driftOf(database, [], { ignore, reconcile: 'revert' })
    expect(found).toMatchObject({ ignored: 2, notes: [] })
    expect(told(found)).toEqual(['added table public.stray'])
    expect(found.offers?.revert).toMatchObject({ sql: 'DROP TABLE "public"."stray";\n', left: [] })
  })

  it('says which extension the server lacks, and which migration cannot be replayed', async () => {
    const database = await migrated(USERS)
    const put = (source: string): Promise<unknown> =>
      database.rows(`UPDATE lockstep.migrations SET source = '${source}', checksum = '${checksumOf(source)}'`)
    await put('-- migrate:up\nCREATE EXTENSION postgis;\n')
    await expect(driftOf(database)).rejects.toMatchObject({
      report: { code: 'CONFIG_INVALID', message: expect.stringContaining('needs the extension "postgis"') },
    })
    await put('-- migrate:up\nCREATE TABLE missing.t ();\n')
    await expect(driftOf(database)).rejects.toMatchObject({
      report: {
        code: 'MIGRATION_FAILED',
        message: expect.stringMatching(/^The history cannot be replayed .*1_users\.sql, line 2/),
      },
    })
  })

  it('ends with 1, and gives one document', async () => {
    const database = await migrated(USERS)
    const args = [
      '--database-url',
      database.url,
      '--migrations',
      await writeFiles({}),
      'drift',
      '--shadow-url',
      inject('serverUrl'),
    ]
    expect(await runCli([...args, '--no-reconcile'])).toMatchObject({ exitCode: 0 })
    await database.rows('CREATE TABLE stray (id int)')
    const found = await runCli([...args, '--reconcile', 'adopt', '--json'])
    expect(found.exitCode).toBe(1)
    expect(found.document()).toMatchObject({
      database: database.name,
      against: 'history',
      differences: [{ kind: 'table', identity: 'public.stray', change: 'added' }],
      reconcile:
        '-- migrate:up\nCREATE TABLE "public"."stray" ("id" integer);\n-- migrate:down\nDROP TABLE "public"."stray";\n',
      reconciliation: { way: 'adopt', complete: true, destructive: ['DROP TABLE "public"."stray"'] },
    })
    expect(await runCli([...args.slice(0, 4), 'drift', '--last-run'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('no run has recorded what it left'),
    })
  })
})

it('drift does not tell secrets of foreign servers, user mappings and subscriptions', async () => {
  const database = await migrated(USERS)
  await database.rows(`CREATE FOREIGN DATA WRAPPER remote;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER remote OPTIONS (host 'h', password 'canary-server');
CREATE USER MAPPING FOR postgres SERVER elsewhere OPTIONS (user 'u', password 'canary-mapping')`)
  await database.rows(`CREATE SUBSCRIPTION ${database.name} CONNECTION 'host=h password=canary-subscription' PUBLICATION p
WITH (connect = false, enabled = false, create_slot = false, slot_name = NONE)`)
  onTestFinished(async () => void (await database.rows(`DROP SUBSCRIPTION ${database.name}`)))
  const found = await driftOf(database, [USERS], { reconcile: 'adopt' })
  expect(JSON.stringify(found)).toContain('elsewhere')
  expect(JSON.stringify(found)).not.toContain('canary')
})
