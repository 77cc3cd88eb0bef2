import { expect, test } from 'vitest'
import { restoreSnapshot } from '../../../lambda/snapshot/restore.ts'
import { createSnapshot } from '../../../lambda/snapshot/snapshot.ts'
import { createDatabase, databaseAt, onServer } from '../../support/database.ts'
import { contentOf, contextFor, directoryStore, dropLater } from './support.ts'

const every = (from: number, to: number): string =>
  `convert_from((SELECT string_agg(set_byte('\\x00', 0, n), '' ORDER BY n) FROM generate_series(${from}, ${to}) n), getdatabaseencoding())`

const cases: Readonly<Record<string, { readonly schema: string; readonly values: readonly string[] }>> = {
  LATIN1: { schema: `CREATE TABLE "größe" (t text DEFAULT 'Ü', b bytea)`, values: [every(1, 127), every(160, 255)] },
  // Whatever bytes: no encoding is checked, and none is converted.
  SQL_ASCII: {
    schema: `CREATE TABLE "größe" (t text DEFAULT 'Ü', b bytea)`,
    values: [every(1, 255), String.raw`E'\xc3\x28\xff'`],
  },
  EUC_JP: { schema: `CREATE TABLE "表" (t text DEFAULT 'かな', b bytea)`, values: ["'漢字かなカナ'", every(1, 127)] },
}

test.each(Object.entries(cases))(
  'carries every character of a database in %s',
  async (encoding, { schema, values }) => {
    const { name } = await createDatabase()
    await onServer(`DROP DATABASE ${name}`)
    await onServer(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C'`)
    const database = databaseAt(name)
    const table = /"[^"]+"/.exec(schema)?.[0] ?? ''
    await database.rows(schema)
    for (const value of values) await database.rows(`INSERT INTO ${table} VALUES (${value}, '\\x00ff5c0a')`)
    const context = contextFor(database, await directoryStore())
    const before = await contentOf(database)

    const { uri } = await createSnapshot(context, { runId: 'run' })
    const { replaced } = await restoreSnapshot(context, { uri })

    expect(await contentOf(database)).toEqual(before)
    expect(await contentOf(databaseAt(dropLater(replaced)))).toEqual(before)
    expect(Object.values(before.tables)[0]).toMatch(/^2:/)
    expect(await database.rows('SHOW server_encoding')).toEqual([{ server_encoding: encoding }])
  },
)
