import { describe, expect, test } from 'vitest'
import { status } from '../../../lambda/engine/inspect.ts'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { reportOf } from '../../../lambda/errors.ts'
import { createDatabase } from '../../support/database.ts'
import { engineFor, fileOf, sql } from '../../support/engine.ts'
import { hasPsql, psql, scriptOf, shop } from './support.ts'

const asking = (id: string, require: string, up: string, verify = 'SELECT true') =>
  fileOf(
    id,
    `-- migrate:require\n${require};\n-- migrate:up\n${up};\n-- migrate:verify\n${verify};\n-- migrate:down\nSELECT 1;\n`,
  )

describe.skipIf(!hasPsql)('what migrations require and verify', () => {
  test('is asked when the run would ask it, and passes where the run passes', async () => {
    const early = asking(
      '2_early',
      'SELECT count(*) = 0, true FROM orders',
      'INSERT INTO users VALUES (1, $$x$$)',
      'VALUES (true), (true)',
    )
    // Once met it is not asked again, and what the run makes is asked for right before.
    const met = asking(
      '3_met',
      'SELECT NOT EXISTS (SELECT FROM users)',
      'CREATE TABLE made (ok boolean)',
      "SELECT 'true'::jsonb",
    )
    const filled = sql('4_filled', 'INSERT INTO made VALUES (true);', 'DELETE FROM made;')
    const later = asking(
      '5_later',
      'SELECT ok FROM made',
      'SELECT 1',
      'WITH a AS (INSERT INTO made VALUES (true) RETURNING ok) SELECT ok FROM a',
    )
    const database = await createDatabase()
    const context = engineFor(database)
    await migrateUp(context, { migrations: [shop] })
    const migrations = [shop, early, met, filled, later]
    expect(await psql(database, await scriptOf(context, migrations))).toMatchObject({ exitCode: 0, stderr: '' })
    expect((await status(context, migrations)).upToDate).toBe(true)
  })

  test('stops the script where it is not so', async () => {
    const database = await createDatabase()
    const context = engineFor(database)
    await migrateUp(context, { migrations: [shop] })
    const questions = [
      'SELECT true FROM orders',
      'SELECT false',
      'SELECT NULL::boolean',
      "SELECT 'true'",
      'SELECT 1',
      'SELECT true, false',
      'VALUES (true), (false)',
      'SELECT FROM (VALUES (1)) v',
    ]
    const verdicts = new Map<string, readonly (string | undefined)[]>()
    for (const question of questions) {
      const require = asking('2_ask', question, 'CREATE TABLE made (id int)')
      const verify = asking('2_ask', 'SELECT true', 'CREATE TABLE made (id int)', question)
      const said = []
      for (const migration of [require, verify]) {
        const { stderr } = await psql(database, await scriptOf(context, [shop, migration]))
        const run = await migrateUp(context, { migrations: [shop, migration] }).catch(reportOf)
        said.push(
          /ERROR: {2}(\w+: 2_ask\.sql, line \d+)/.exec(stderr)?.[1],
          'error' in run ? run.error?.code : 'REFUSED',
        )
      }
      verdicts.set(question, said)
    }
    const stopped = [
      'REQUIREMENT_NOT_MET: 2_ask.sql, line 2',
      'REFUSED',
      'MIGRATION_FAILED: 2_ask.sql, line 6',
      'MIGRATION_FAILED',
    ]
    expect([...verdicts]).toEqual(questions.map((question) => [question, stopped]))
    expect(await database.rows("SELECT to_regclass('made') AS made")).toEqual([{ made: null }])
  })
})
