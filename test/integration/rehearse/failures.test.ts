import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { perform } from '../../../lambda/actions.ts'
import { createDatabase } from '../../support/database.ts'
import { lockstepFor } from '../../support/lockstep.ts'
import { writeFiles } from '../../support/source-files.ts'
import { differencesOf, passOf, readerOf, rehearsed, SHOP, shopWith, told, TOTAL } from './support.ts'

test('a failure tells what it would leave; what is declared irreversible is left out, what has no down fails', async () => {
  const { lockstep } = await shopWith('SELECT')
  const failing = await rehearsed(
    await lockstep({ '2_fails.sql': '-- migrate:up\nALTER TABLE users ADD x int;\nUPDATE users\nSET nothing = 1;\n' }),
  )
  expect(told(failing)).toEqual([
    'up failed MIGRATION_FAILED',
    'down skipped The up fails.',
    'up again skipped The up fails.',
  ])
  expect(passOf(failing, 'up')).toMatchObject({
    error: {
      line: 4,
      state: expect.stringContaining('the database is as it was before'),
      excerpt: expect.stringContaining('^'),
    },
    holds: [{ relation: 'public.users' }],
    migrations: [{ statements: [{ failed: false }, { failed: true }] }],
  })
  const irreversible = await rehearsed(
    await lockstep({
      '2_gone.sql': '-- lockstep:irreversible names are gone\n-- migrate:up\nALTER TABLE users DROP name;\n',
    }),
  )
  expect(told(irreversible)).toEqual([
    'up succeeded',
    'down skipped 2_gone is declared irreversible: names are gone',
    'up again skipped 2_gone is declared irreversible: names are gone',
  ])
  expect(irreversible.ok).toBe(true)
  const withoutDown = await rehearsed(await lockstep({ '2_gone.sql': '-- migrate:up\nALTER TABLE users DROP name;\n' }))
  expect(told(withoutDown)).toEqual([
    'up succeeded',
    'down failed MIGRATION_IRREVERSIBLE',
    'up again skipped There is no way back.',
  ])
  expect(withoutDown.ok).toBe(false)
  const wrongDown = await rehearsed(
    await lockstep({
      '2_x.sql': '-- migrate:up\nALTER TABLE users ADD x int;\n-- migrate:down\nALTER TABLE users ADD y int;\n',
    }),
  )
  expect(differencesOf(wrongDown)).toEqual(
    expect.arrayContaining(['+ public.users: column x integer', '+ public.users: column y integer']),
  )
})

test('roles are those of the live server, or made where nobody knows; an extension that is missing is named', async () => {
  const { lockstep } = await shopWith('SELECT')
  await perform(await lockstep({}), { action: 'snapshot' })
  const role = `nobody_${randomUUID().slice(0, 8)}`
  const grant = await lockstep({
    '2_grant.sql': `-- migrate:up\nGRANT SELECT ON users TO ${role};\n-- migrate:down\nREVOKE SELECT ON users FROM ${role};\n`,
    '3_text.sql': `-- migrate:up\nDO $$ BEGIN EXECUTE 'GRANT SELECT ON orders TO ${role}_2'; END $$;\n-- migrate:down\nREVOKE ALL ON orders FROM ${role}_2;\n`,
  })
  expect(told(await rehearsed(grant))[0]).toBe('up failed MIGRATION_FAILED')
  expect(await rehearsed(grant, { snapshot: 'latest' })).toMatchObject({ ok: true })
  expect(await onServerRoles(role)).toEqual([])
  const extension = await lockstep({ '2_extension.sql': '-- migrate:up\nCREATE EXTENSION no_such_extension;\n' })
  await expect(rehearsed(extension)).rejects.toMatchObject({
    report: {
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('"no_such_extension"'),
      remedy: expect.stringContaining('--shadow-url'),
    },
  })
})

async function onServerRoles(prefix: string): Promise<readonly unknown[]> {
  return (await createDatabase()).rows(`SELECT rolname FROM pg_roles WHERE starts_with(rolname, '${prefix}')`)
}

test('what cannot be copied is an error that says so', async () => {
  const { lockstep, database } = await shopWith()
  const pending = await lockstep({ '2_total.sql': TOTAL })
  await expect(rehearsed(pending, { snapshot: 'latest' })).rejects.toMatchObject({
    report: { code: 'CONFIG_INVALID', message: expect.stringContaining('no complete snapshot') },
  })
  const { uri } = (await perform(pending, { action: 'snapshot' })) as { readonly uri: string }
  await expect(rehearsed(pending, { snapshot: uri.replace(/-[^-]*$/, '-other') })).rejects.toMatchObject({
    report: { code: 'RESTORE_FAILED', message: expect.stringContaining('no manifest.json') },
  })
  await writeFile(fileURLToPath(`${uri}/post-data.sql`), 'damaged')
  await expect(rehearsed(pending, { snapshot: uri })).rejects.toMatchObject({
    report: { code: 'RESTORE_FAILED', message: expect.stringContaining('post-data.sql') },
  })
  await rm(fileURLToPath(`${uri}/pre-data.sql`))
  await expect(rehearsed(pending, { snapshot: uri })).rejects.toMatchObject({
    report: { code: 'RESTORE_FAILED', message: expect.stringContaining('pre-data.sql is missing') },
  })
  await expect(
    rehearsed(lockstepFor(database.url, await writeFiles({})), { snapshot: 'latest' }),
  ).rejects.toMatchObject({ report: { code: 'CONFIG_INVALID' } })

  const { role, url } = await readerOf(database)
  await database.rows(
    `GRANT USAGE ON SCHEMA lockstep TO ${role}; GRANT SELECT ON ALL TABLES IN SCHEMA lockstep TO ${role}; GRANT SELECT ON users TO ${role}`,
  )
  onTestFinished(() => database.rows(`DROP OWNED BY ${role}`).then(() => {}))
  const blind = lockstepFor(url, await writeFiles({ '1_shop.sql': SHOP, '2_total.sql': TOTAL }), {
    snapshots: { location: await writeFiles({}), kmsKeyId: null },
  })
  await expect(rehearsed(blind)).rejects.toMatchObject({
    report: { code: 'SNAPSHOT_FAILED', message: expect.stringContaining('no permission to read table public.orders') },
  })
})

test('nothing outside of the scratch database is reached; a scratch server that refuses is named', async () => {
  const slot = randomUUID().slice(0, 8)
  const { lockstep, database } = await shopWith(
    `CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1');
CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (password 'far-secret'); CREATE FOREIGN TABLE far_users (id int) SERVER far;
CREATE SUBSCRIPTION feed_${slot} CONNECTION 'host=127.0.0.1 port=1 password=far-secret' PUBLICATION p WITH (connect = false)`,
  )
  onTestFinished(async () => {
    await database.rows(`ALTER SUBSCRIPTION feed_${slot} SET (slot_name = NONE)`)
    await database.rows(`DROP SUBSCRIPTION feed_${slot}`)
  })
  const pending = await lockstep({ '2_far.sql': '-- migrate:up\nINSERT INTO far_users VALUES (1);\n' })
  const found = await rehearsed(pending)
  expect(passOf(found, 'up').error?.message).toContain('user mapping not found')
  expect(found.notes).toContainEqual(expect.stringContaining('User mappings were left out'))
  expect(JSON.stringify(found)).not.toContain('far-secret')
  expect(await database.rows(`SELECT FROM pg_database WHERE datname = '${found.scratch?.database}'`)).toEqual([])
  const drop = await lockstep({
    '2_drop.sql': `-- lockstep:irreversible it is gone\n-- migrate:up transaction:false\nDROP SUBSCRIPTION feed_${slot};\n`,
  })
  expect(told(await rehearsed(drop))[0]).toBe('up succeeded')
  const { url } = await readerOf(database)
  await expect(rehearsed(pending, { shadowUrl: url })).rejects.toMatchObject({
    report: { code: 'RESTORE_FAILED', message: expect.stringContaining('permission denied to create database') },
  })
})
