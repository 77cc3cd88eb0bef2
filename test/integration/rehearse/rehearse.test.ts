import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { perform } from '../../../lambda/actions.ts'
import { formatManifest, parseManifest } from '../../../lambda/snapshot/manifest.ts'
import { createDatabase, onServer } from '../../support/database.ts'
import { lockstepFor } from '../../support/lockstep.ts'
import { writeFiles } from '../../support/source-files.ts'
import { differencesOf, passOf, readerOf, rehearsed, SHOP, shopWith, told, TOTAL } from './support.ts'

/** Makes a snapshot one of a database whose locale no machine has. */
async function giveUnknownLocale(uri: string): Promise<void> {
  const file = fileURLToPath(`${uri}/manifest.json`)
  const manifest = parseManifest(await readFile(file, 'utf8'))
  const locale = { ...manifest.database.locale, collate: 'tlh_KX.UTF-8', ctype: 'tlh_KX.UTF-8' }
  await writeFile(file, formatManifest({ ...manifest, database: { ...manifest.database, locale } }))
}

async function databasesNamed(name: string | undefined): Promise<number> {
  const { rows } = await (
    await createDatabase()
  )
    .connect()
    .then((connection) => connection.query('SELECT FROM pg_database WHERE datname = $1', [name]))
  return rows.length
}

test('a user who may only read rehearses on the structure, with sequences, history and statistics of the database', async () => {
  const { database, store } = await shopWith()
  const { role, url } = await readerOf(database)
  await onServer(`GRANT pg_read_all_data TO ${role}`)
  const directory = await writeFiles({ '1_shop.sql': SHOP, '2_total.sql': TOTAL })
  const found = await rehearsed(lockstepFor(url, directory, { snapshots: { location: store, kmsKeyId: null } }))
  expect(told(found)).toEqual(['up succeeded', 'down succeeded', 'up again succeeded'])
  expect(found).toMatchObject({
    ok: true,
    pending: ['2_total'],
    problems: [],
    source: { kind: 'structure', uri: null },
  })
  expect(found.comparisons.every(({ same }) => same)).toBe(true)
  const up = passOf(found, 'up')
  expect(up.migrations[0]?.statements).toMatchObject([
    {
      line: 5,
      text: 'ALTER TABLE orders ALTER total TYPE bigint',
      rewritten: ['public.orders'],
      locks: expect.arrayContaining([{ relation: 'public.orders', kind: 'table', mode: 'ACCESS EXCLUSIVE' }]),
      estimatedMs: expect.any(Number),
    },
    { line: 6, text: 'CREATE INDEX orders_total ON orders (total)', estimatedMs: expect.any(Number) },
  ])
  const [hold] = up.holds
  expect(hold).toMatchObject({
    relation: 'public.orders',
    blocks: 'reads and writes',
    migration: '2_total',
    line: 5,
    rows: 3000,
  })
  // What the first statement has locked is held while the second one works.
  const estimates = up.migrations[0]?.statements.map(({ estimatedMs }) => estimatedMs ?? 0) ?? []
  expect((hold?.estimatedMs ?? 0) - (hold?.heldMs ?? 0)).toBeCloseTo(
    estimates.reduce((sum, ms) => sum + ms, 0),
    0,
  )
  expect(await databasesNamed(found.scratch?.database)).toBe(0)
  expect(await database.rows('SELECT count(*)::int AS runs FROM lockstep.runs')).toEqual([{ runs: 1 }])
})

test('rows of a snapshot that the down does not bring back are told, and fail the rehearsal', async () => {
  const { lockstep, database } = await shopWith()
  const { uri } = (await perform(await lockstep({}), { action: 'snapshot' })) as { readonly uri: string }
  const pending = {
    '2_lossy.sql': `-- migrate:up
ALTER TABLE users DROP COLUMN name;
DELETE FROM orders WHERE id = 1;
INSERT INTO users DEFAULT VALUES;
-- migrate:down
ALTER TABLE users ADD COLUMN name text;
`,
  }
  const found = await rehearsed(await lockstep(pending), { snapshot: uri })
  expect(told(found)).toEqual(['up succeeded', 'down succeeded', 'up again succeeded'])
  expect(found).toMatchObject({ ok: false, source: { kind: 'snapshot', uri, withoutRows: [] } })
  expect(differencesOf(found)).toEqual([
    '- rows of public.orders: 3000 before, 2999 after the down',
    '+ rows of public.users: 300 before, 301 after the down',
    '- values of public.users (name): others after the down than before',
    '+ rows of public.users: 301 after the up, 302 after the up again',
  ])
  await giveUnknownLocale(uri)
  const latest = await rehearsed(await lockstep({ '2_total.sql': TOTAL }), {
    snapshot: 'latest',
    snapshotOf: database.name,
  })
  expect(latest).toMatchObject({ ok: true, source: { uri } })
  expect(latest.notes).toEqual([expect.stringContaining('does not have the locale "tlh_KX.UTF-8"')])
  // Measured, not estimated.
  expect(passOf(latest, 'up').holds).toMatchObject([{ relation: 'public.orders', estimatedMs: null }])
})

test('code, what cannot share a transaction, and repeatables run as in a deployment', async () => {
  const { lockstep } = await shopWith()
  const found = await rehearsed(
    await lockstep({
      '2_index.sql':
        '-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY orders_user ON orders (user_id);\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY orders_user;\n',
      '3_code.ts': `export async function up({ query }) { await query("UPDATE users SET name = 'secret' || name"); await query('ALTER TABLE users ADD y int') }
export async function down({ query }) { await query('ALTER TABLE users DROP y') }\n`,
      'repeatable/views.sql':
        '-- migrate:up\nCREATE OR REPLACE VIEW names AS SELECT name FROM users;\n-- migrate:down\nDROP VIEW names;\n',
    }),
  )
  expect(told(found)).toEqual(['up succeeded', 'down succeeded', 'up again succeeded'])
  const [index, code, views] = passOf(found, 'up').migrations
  expect(index?.statements[0]?.locks).toEqual(
    expect.arrayContaining([{ relation: 'public.orders', kind: 'table', mode: 'SHARE UPDATE EXCLUSIVE' }]),
  )
  expect(code?.statements).toMatchObject([
    { line: null, text: 'UPDATE users SET name =', scanned: ['public.users'] },
    { line: null, text: 'ALTER TABLE users ADD y int' },
  ])
  expect(views).toMatchObject({ id: 'repeatable/views#1', statements: [{ scanned: [], rewritten: [] }] })
})

test('what the environment refuses is told and rehearsed; nothing pending is nothing to do', async () => {
  const { lockstep } = await shopWith('SELECT')
  const policy = [{ source: 'option', settings: { environment: 'production' } }] as const
  const found = await rehearsed(await lockstep({ '2_total.sql': TOTAL.replaceAll('= 3000', '< 3001') }, { policy }))
  expect(found).toMatchObject({
    ok: true,
    problems: expect.arrayContaining([expect.objectContaining({ code: 'HAZARD_REFUSED' })]),
  })
  expect(await rehearsed(await lockstep({}))).toMatchObject({ ok: true, pending: [], passes: [], scratch: null })
})
