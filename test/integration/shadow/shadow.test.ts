import { describe, expect, inject, test } from 'vitest'
import { mentionedIn } from '../../../cli/shadow/mentioned.ts'
import { missingExtension } from '../../../cli/shadow/missing-extension.ts'
import { replay } from '../../../cli/shadow/replay.ts'
import { startShadowServer } from '../../../cli/shadow/shadow-server.ts'
import { startShadow } from '../../../cli/shadow/shadow.ts'
import { buildGraph } from '../../../lambda/engine/plan/migration-graph.ts'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import { downStep, upStep } from '../../../lambda/engine/plan/step.ts'
import { code, sql } from '../../support/engine.ts'
import { rowsOf } from '../../support/scratch-database.ts'

describe('the shadow', () => {
  test('makes the roles and databases that migrations name, and not those that they make themselves', async () => {
    const mentioned = await mentionedIn([
      sql(
        '1',
        `CREATE ROLE made; DO $$ BEGIN CREATE USER "Also made"; END $$;
         GRANT SELECT ON t TO reader, made, "Also made", PUBLIC, CURRENT_USER; GRANT boss TO worker; SET ROLE actor;
         ALTER DEFAULT PRIVILEGES FOR ROLE giver GRANT SELECT ON TABLES TO taker; GRANT CONNECT ON DATABASE shop TO reader;`,
        'ALTER TABLE t OWNER TO former; CREATE POLICY p ON t TO guest USING (true)',
      ),
    ])
    expect(mentioned).toEqual({
      roles: ['actor', 'boss', 'former', 'giver', 'guest', 'reader', 'taker', 'worker'],
      made: ['Also made', 'made'],
      databases: ['shop'],
    })
  })

  test('replays with the code of the engine, and takes a step back', async () => {
    const migrations = [
      sql('1', 'CREATE TABLE t (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED); INSERT INTO t VALUES (1)'),
      sql('2', "SET search_path = ''; SET ROLE pg_monitor; RESET ROLE"),
      sql('3', 'CREATE INDEX CONCURRENTLY t_id ON t (id)', 'DROP INDEX CONCURRENTLY t_id', { transaction: false }),
      code('4', { up: async ({ query }) => void (await query('ALTER TABLE t ADD COLUMN n int')) }),
    ]
    await onShadow(migrations, async (shadow) => {
      const database = await shadow.open()
      const { ordered } = buildGraph(migrations)
      await replay(database, ordered)
      const columns = async () => (await database.connection.query('SELECT * FROM t')).rows
      expect(await columns()).toEqual([{ id: 1, n: null }])
      await database.connection.execute('BEGIN')
      await database.applyWithin(downStep(migrationAt(migrations, 0, 'DROP TABLE t')))
      await database.connection.execute('ROLLBACK')
      expect(await columns()).toHaveLength(1)
      await database.apply(downStep(migrationAt(migrations, 2)))
      await database.close()
      const copy = await shadow.open({ template: database.name, name: undefined })
      const indexes = await copy.connection.query(`SELECT indexname FROM pg_indexes WHERE tablename = 't'`)
      expect(indexes.rows).toEqual([{ indexname: 't_pkey' }])
      await copy.close()
    })
  })

  test('makes a role that only the text of a function names, and drops it at the end', async () => {
    const role = `hidden_${process.pid}_${Math.floor(performance.now())}`
    const migrations = [sql('1', `CREATE TABLE t (); DO $$ BEGIN EXECUTE 'GRANT SELECT ON t TO ${role}'; END $$`)]
    await onShadow(migrations, async (shadow) => {
      const database = await shadow.open()
      await replay(database, buildGraph(migrations).ordered)
      await database.close()
    })
    expect(await rowsOf(inject('serverUrl'), `SELECT FROM pg_roles WHERE rolname = '${role}'`)).toEqual([])
  })

  test('fails where a migration does, and names an extension that the server does not have', async () => {
    const migrations = [sql('1', 'CREATE TABLE t ()'), sql('2', 'CREATE EXTENSION there_is_none')]
    await onShadow(migrations, async (shadow) => {
      const database = await shadow.open()
      const { ordered } = buildGraph(migrations)
      await expect(replay(database, ordered)).rejects.toMatchObject({
        report: { code: 'CONFIG_INVALID', migration: '2', message: expect.stringContaining('"there_is_none"') },
      })
      const failure = await database.apply(upStep({ migration: sql('3', 'SELECT nothing'), parents: [] })).catch(String)
      expect(failure).toContain('column "nothing" does not exist')
      expect(missingExtension(failure)).toBeNull()
      expect((await database.connection.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
      await database.close()
    })
  })

  test('refuses a major that there is no server of', async () => {
    await expect(startShadowServer({ major: 12 })).rejects.toMatchObject({ report: { code: 'CONFIG_INVALID' } })
    await expect(startShadowServer({ major: 12, url: inject('serverUrl') })).rejects.toMatchObject({
      report: { code: 'CONFIG_INVALID', message: expect.stringContaining('PostgreSQL 12 is wanted') },
    })
  })
})

function migrationAt(migrations: readonly Migration[], index: number, down?: string): Migration {
  const found = migrations[index]
  if (found === undefined) throw new Error(`there is no migration at ${index}`)
  return down === undefined ? found : sql(found.id, 'SELECT 1', down)
}

async function onShadow(
  migrations: readonly Migration[],
  work: (shadow: Awaited<ReturnType<typeof startShadow>>) => Promise<void>,
): Promise<void> {
  const shadow = await startShadow(migrations, { url: inject('serverUrl') })
  try {
    await work(shadow)
  } finally {
    await shadow.stop()
  }
}
