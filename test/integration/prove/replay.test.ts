import { describe, expect, inject, test } from 'vitest'
import { sql } from '../../support/engine.ts'
import { rowsOf } from '../../support/scratch-database.ts'
import { proofsOf, told, USERS } from './support.ts'

/** What only the text of a function says. */
const hidden = (what: string): string => `DO $$ BEGIN EXECUTE '${what}'; END $$`

describe('prove', () => {
  test('replays roles and databases that migrations make, and leaves none of them on a given server', async () => {
    const role = `made_${process.pid}_${Math.floor(performance.now())}`
    const outside = { transaction: false }
    const found = await proofsOf([
      USERS,
      sql('2', `CREATE ROLE ${role}; GRANT pg_monitor TO ${role}`, `DROP ROLE ${role}`),
      sql('3', 'CREATE INDEX CONCURRENTLY i ON users (age)', 'SELECT 1', outside),
      sql('4', 'CREATE TABLE t ()', 'DROP TABLE t'),
    ])
    expect(told(found).filter((line) => !line.startsWith('+'))).toEqual([
      '1 proven',
      '2 proven',
      '3 broken',
      '4 proven',
    ])
    expect(await rowsOf(inject('serverUrl'), `SELECT FROM pg_roles WHERE rolname = '${role}'`)).toEqual([])
  })

  test('on a server of its own: roles that only the text of a function names are no work of the migration', async () => {
    const outside = { transaction: false }
    const found = await proofsOf(
      [
        USERS,
        sql('2', hidden('GRANT SELECT ON users TO "Hidden"'), hidden('REVOKE SELECT ON users FROM "Hidden"')),
        sql('3', 'SELECT 1', hidden('REVOKE SELECT ON users FROM late')),
        sql('4', 'CREATE ROLE granted; GRANT CONNECT ON DATABASE shop, other TO granted', 'SELECT 1'),
        sql('5', 'CREATE DATABASE third', 'DROP DATABASE third', outside),
        sql('6', 'CREATE INDEX CONCURRENTLY i ON users (age)', 'SELECT 1', outside),
        sql('7', 'SELECT 1', 'SELECT 1'),
      ],
      { isOwn: true },
    )
    expect(told(found).filter((line) => !/^[+-]/.test(line))).toEqual([
      '1 proven',
      '2 proven',
      '3 proven',
      '4 broken',
      '5 proven',
      '6 broken',
      '7 proven',
    ])
    expect(found.stopped).toBeNull()
  })

  test('says where a set cannot be replayed', async () => {
    const name = `twice_${process.pid}`
    const found = await proofsOf([
      USERS,
      sql('2', hidden(`CREATE ROLE '||'${name}`), hidden(`DROP ROLE '||'${name}`)),
      sql('3', 'CREATE INDEX CONCURRENTLY i ON users (age)', 'SELECT 1', { transaction: false }),
      sql('4', 'SELECT 1', 'SELECT 1'),
    ])
    await rowsOf(inject('serverUrl'), `DROP ROLE IF EXISTS ${name}`)
    expect(told(found).filter((line) => !line.startsWith('+'))).toEqual(['1 proven', '2 proven', '3 broken'])
    expect(found.stopped?.report).toMatchObject({ code: 'MIGRATION_FAILED', migration: '2' })
  })
})
