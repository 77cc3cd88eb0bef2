import { beforeAll, describe, expect, it } from 'vitest'
import { loadParser, splitSection } from '../../../../lambda/engine/migration/statements.ts'
import { sql } from '../../../support/engine.ts'
import { reportThrownBy } from '../../../support/report.ts'

function split(up: string, transaction = true) {
  const migration = sql('1_a', up, undefined, { transaction })
  return splitSection(migration, migration.up)
}

const refusal = (up: string) => reportThrownBy(() => split(up))

describe('splitSection', () => {
  beforeAll(loadParser)

  it('splits with the real parser: quotes, dollars, comments, bodies and letters of several bytes', () => {
    const up = `-- é
CREATE TABLE "a;b" (t text DEFAULT 'x;y');  /* ; */
DO $body$ BEGIN PERFORM ';'; END $body$;
CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;
SELECT '😀', 2`
    const statements = split(up)
    expect(statements.map((statement) => statement.sql)).toEqual([
      `CREATE TABLE "a;b" (t text DEFAULT 'x;y')`,
      `DO $body$ BEGIN PERFORM ';'; END $body$`,
      'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END',
      `SELECT '😀', 2`,
    ])
    for (const { block, offset, sql } of statements) expect(block.text.slice(offset, offset + sql.length)).toBe(sql)
  })

  it('gives nothing for a section of comments', () => {
    expect(split('-- nothing here\n/* nor here */')).toEqual([])
  })

  it('shows a syntax error with line and caret', async () => {
    expect(await refusal('SELECT 1;\n\nCREATE TABEL é (id int);')).toMatchObject({
      code: 'MIGRATION_INVALID',
      message: '1_a.sql, line 4: syntax error at or near "TABEL".',
      line: 4,
      column: 8,
      excerpt: '2 | SELECT 1;\n3 | \n4 | CREATE TABEL é (id int);\n  |        ^',
      state: 'The database has not been touched.',
    })
  })

  it.each([
    'CREATE INDEX CONCURRENTLY i ON t (a)',
    'DROP INDEX CONCURRENTLY i',
    'REINDEX TABLE CONCURRENTLY t',
    'REINDEX SCHEMA public',
    'DISCARD ALL',
    'VACUUM t',
    'CREATE DATABASE d',
    'DROP DATABASE d',
    'ALTER SYSTEM SET work_mem = 1',
    'ALTER TABLE t DETACH PARTITION p CONCURRENTLY',
    'CLUSTER',
    'COMMIT',
  ])('refuses in a transaction, and takes outside of one: %s', async (statement) => {
    expect(await refusal(`SELECT 1;\n${statement};`)).toMatchObject({
      code: 'MIGRATION_INVALID',
      line: 3,
      remedy: expect.stringContaining('transaction:false'),
    })
    expect(split(statement, false)).toHaveLength(1)
  })

  it('does not take BEGIN with options for the transaction that the run gives', () => {
    const own = 'BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT'
    expect(() => split(own)).toThrow('BEGIN, COMMIT or ROLLBACK')
    expect(split(own, false)).toHaveLength(3)
  })

  it.each([
    'SAVEPOINT a; ROLLBACK TO a',
    'ANALYZE t',
    'REINDEX TABLE t',
    'CREATE INDEX i ON t (a)',
    'CLUSTER t USING i',
  ])('takes in a transaction: %s', (text) => {
    expect(split(text).length).toBeGreaterThan(0)
  })

  it('says what to do about psql commands and COPY data', async () => {
    expect(await refusal('\\connect other')).toMatchObject({ remedy: expect.stringContaining('psql meta-commands') })
    expect(await refusal('COPY t FROM stdin;\n1\t2\n\\.\n')).toMatchObject({
      remedy: expect.stringContaining('INSERT instead of COPY'),
    })
  })
})
