import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { validate, type Validation } from '../../../cli/validate/validate.ts'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { readMigrationDirectory } from '../../../lambda/engine/migration/migration-directory.ts'
import { createDatabase } from '../../support/database.ts'
import { engineFor } from '../../support/engine.ts'
import { writeFiles } from '../../support/source-files.ts'
import { runCli } from '../cli/run-cli.ts'

async function validated(files: Readonly<Record<string, string>>, replay = true): Promise<Validation> {
  const directory = await writeFiles(files)
  return validate({
    directory,
    replay,
    shadowUrl: inject('serverUrl'),
    historySchema: 'lockstep',
    signal: new AbortController().signal,
  })
}

const told = ({ problems }: Validation): readonly string[] =>
  problems.map(({ severity, message }) => `${severity}: ${message}`)

const GOOD = '-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n'

describe('validate', () => {
  test('finds nothing in a set that runs', async () => {
    const found = await validated({ '1_a.sql': GOOD, '2_b.sql': GOOD.replaceAll(' a', ' b') })
    expect(found).toMatchObject({ problems: [], replayed: 2, consequences: 0 })
  })

  test('finds everything at once, in the order of files and lines', async () => {
    const found = await validated({
      '1_a.sql': '-- lockstep:befor x\n-- migrate:up\nCREATE TABLE a (id int;\nSELECT 1 FORM b;\nVACUUM;\n',
      '1_b.sql': '-- migrate:up transaction:false\nCREATE TABLE b (id int);\nVACUUM;\n-- migrate:down\nDROP TABLE b;\n',
      '3_c.sql': '-- migrate:up\nBEGIN;\nCREATE TABLE c ();\nCOMMIT;\n-- migrate:down\nDROP TABLE IF EXIST c;\n',
      '4_d.sql':
        '-- lockstep:allow nonsense because\n-- lockstep:after 3_c, 0_z\n-- migrate:up\nALTER TABLE a ADD COLUMN x int;\n',
      '5_e.sql': '-- lockstep:after 3_c\n-- migrate:up\nCREATE TABLE e (x it);\n-- migrate:down\nDROP TABLE e;\n',
      '6_f.up.sql': GOOD,
      'readme.js': '',
    })
    expect(told(found)).toEqual([
      'error: 1_a.sql: it has no down, and does not say that it is irreversible.',
      'error: 1_a.sql, line 1: the directive lockstep:befor is not known.',
      'error: 1_a.sql, line 3: syntax error at or near ";".',
      'error: 1_a.sql, line 4: syntax error at or near "b".',
      'error: 1_a.sql, line 5: VACUUM cannot run inside a transaction, and the file does not declare transaction:false.',
      'warning: 1_b.sql: its number is that of 1_a.sql as well: which of the two comes first is up to the letters after it.',
      'warning: 1_b.sql, line 2: this stands in one file with VACUUM, so that it commits by itself: when a later statement fails, a part of the migration stays.',
      'warning: 3_c.sql, line 2: its own BEGIN and COMMIT are left out: the run has a transaction.',
      'error: 3_c.sql, line 6: syntax error at or near "EXIST".',
      'error: 4_d.sql: it has no down, and does not say that it is irreversible.',
      'error: 4_d.sql: it comes after "0_z", which is not in the set.',
      'error: 4_d.sql, line 1: there is no hazard "nonsense" to allow.',
      'error: 5_e.sql, line 3: type "it" does not exist (SQLSTATE 42704).',
      'warning: 6_f.up.sql: its name is that of a tool which keeps up and down in two files; here they stand in one.',
      'warning: readme.js: it is no migration: only .sql and .ts are.',
      'error: The set has 2 heads: 4_d, 6_f.up.',
    ])
    expect(found).toMatchObject({ replayed: 3, consequences: 1 })
  })

  test('reads code, and goes on where a file cannot be read', async () => {
    const found = await validated({
      'package.json': '{"type":"module"}',
      '1_a.sql': 'CREATE TABLE a (id int);',
      '2_b.ts': 'export const foo = 1\nexport function up() {}',
      '3_c.sql':
        '-- lockstep:after 1_a, 2_b\n-- migrate:up\nALTER TABLE a ADD b int;\n-- migrate:down\nALTER TABLE a DROP b;\n',
      '4_d.ts': 'export async function up({ query }) { await query("SELECT nothing") }\nexport function down() {}',
    })
    expect(told(found)).toEqual([
      'error: 1_a.sql: there is no "-- migrate:up" line.',
      'error: 2_b.ts: it exports foo, which is not known.',
      'error: 2_b.ts: it has no down, and does not say that it is irreversible.',
      'error: 4_d.ts: column "nothing" does not exist (SQLSTATE 42703).',
    ])
    expect(found.consequences).toBe(1)
  })

  test('compares the files with the history of a database, and shows it as annotations', async () => {
    const database = await createDatabase()
    const directory = await writeFiles({ 'm/1_a.sql': GOOD, 'm/2_b.sql': GOOD.replaceAll(' a', ' b') })
    await migrateUp(engineFor(database), { migrations: readMigrationDirectory(join(directory, 'm')) })
    await writeFile(join(directory, 'm', '2_b.sql'), '-- migrate:up\nSELECT 2, nope;\n')
    const { exitCode, stdout } = await runCli(
      ['validate', '--migrations', 'm', '--format', 'github', '--shadow-url', inject('serverUrl')],
      { directory, environment: { LOCKSTEP_DATABASE_URL: database.url } },
    )
    const lines = stdout.trim().split('\n')
    expect(lines.map((line) => line.replace(/::2_b.*/, ''))).toEqual([
      '::error file=m/2_b.sql,title=MIGRATION_INVALID',
      '::error file=m/2_b.sql,title=HISTORY_CHECKSUM_CHANGED',
      '::error file=m/2_b.sql,line=2,col=11,title=MIGRATION_FAILED',
    ])
    expect(exitCode).toBe(1)
  })
})
