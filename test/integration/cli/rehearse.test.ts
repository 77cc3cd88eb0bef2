import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { expect, inject, onTestFinished, test } from 'vitest'
import { createDatabase, databaseAt, onServer, type TestDatabase } from '../../support/database.ts'
import { writeFiles } from '../../support/source-files.ts'
import { until } from '../../support/wait.ts'
import { runCli } from './run-cli.ts'

const NOTES = '-- migrate:up\nCREATE TABLE notes (id int PRIMARY KEY, text text);\n-- migrate:down\nDROP TABLE notes;\n'
const AUTHOR =
  '-- migrate:up\nALTER TABLE notes ADD COLUMN author text;\n-- migrate:down\nALTER TABLE notes DROP COLUMN author;\n'
const SCRATCH = ['--shadow-url', inject('serverUrl')]

interface Notes {
  readonly database: TestDatabase
  readonly on: readonly string[]
}

/** A database with notes, and a directory in which `pending` is yet to be applied. */
async function notesWith(pending: string): Promise<Notes> {
  const database = await createDatabase()
  const url = ['--database-url', database.url]
  await runCli(['up', ...url, '--migrations', await writeFiles({ '1_notes.sql': NOTES })])
  const migrations = await writeFiles({ '1_notes.sql': NOTES, '2_author.sql': pending })
  return { database, on: [...url, '--migrations', migrations] }
}

/** Names of the databases that rehearsals of this one have made, as their comments say. */
async function left({ database }: Notes): Promise<readonly string[]> {
  const rows = await database.rows(
    `SELECT datname AS name FROM pg_database WHERE strpos(shobj_description(oid, 'pg_database'), '"${database.name}"') > 0`,
  )
  return rows.map(({ name }) => String(name))
}

test('rehearse shows times and locks in every form, and leaves the scratch database only where told to', async () => {
  const notes = await notesWith(AUTHOR)
  const abandoned = `abandoned_${randomUUID().slice(0, 8)}`
  await onServer(`CREATE DATABASE ${abandoned}`)
  await onServer(`COMMENT ON DATABASE ${abandoned} IS 'Made by lockstep rehearse: killed'`)
  const rehearse = (...args: readonly string[]) => runCli(['rehearse', ...notes.on, ...args])
  const [text, markdown, json] = [
    await rehearse(...SCRATCH),
    await rehearse(...SCRATCH, '--format', 'markdown'),
    await rehearse(...SCRATCH, '--keep', '--json'),
  ]
  expect([text.exitCode, markdown.exitCode, json.exitCode]).toEqual([0, 0, 0])
  expect(text.stdout).toMatch(
    /2_author\.sql:2 +ALTER TABLE notes ADD COLUMN author text .* ACCESS EXCLUSIVE on public\.notes/,
  )
  expect(text.stdout).toMatch(/Rehearsed: up, down, up again\. \(.* in all\)/)
  expect(text.stderr).toContain('Rehearsing down')
  expect(markdown.stdout).toMatch(/^### ✅ Rehearsed: up, down, up again\./)
  expect(markdown.stdout).toContain('| public.notes |')
  const { scratch } = json.document() as { readonly scratch: { readonly database: string; readonly kept: boolean } }
  onTestFinished(() => onServer(`DROP DATABASE ${scratch.database}`))
  expect(await left(notes)).toEqual([scratch.database])
  expect(await notes.database.rows(`SELECT FROM pg_database WHERE datname = '${abandoned}'`)).toEqual([])
  expect(await databaseAt(scratch.database).rows('SELECT author FROM notes')).toEqual([])
  expect(await rehearse('--keep')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("needs option '--shadow-url"),
  })
})

test('without a scratch server an embedded one is made, of the version that is asked for, and removed', async () => {
  const { on } = await notesWith(`${AUTHOR}-- migrate:verify\nSELECT author = 'nobody' FROM notes;\n`)
  const found = await runCli(['rehearse', ...on, '--json'])
  expect(found.exitCode).toBe(1)
  expect(found.document()).toMatchObject({
    scratch: { kind: 'embedded', major: 18 },
    passes: [{ status: 'failed', error: { code: 'MIGRATION_FAILED' } }, { status: 'skipped' }, { status: 'skipped' }],
  })
})

test('an interruption takes back what runs, and removes the scratch database', async () => {
  const notes = await notesWith(AUTHOR.replace('-- migrate:down', 'SELECT pg_sleep(60);\n-- migrate:down'))
  const running = async (): Promise<boolean> => {
    const [name] = await left(notes)
    const rows = await notes.database.rows(
      `SELECT FROM pg_stat_activity WHERE datname = '${name ?? ''}' AND query ~ '^SELECT pg_sleep'`,
    )
    return rows.length > 0
  }
  const before = new Set(await readdir(tmpdir()))
  const found = await runCli(['rehearse', ...notes.on, ...SCRATCH], {
    onStart: (interrupt) => void until(running).then(interrupt),
  })
  expect(found.exitCode).toBe(130)
  expect(found.stderr).toContain('✗ INTERRUPTED')
  expect(found.stderr).toContain('The database has not been touched')
  expect(await left(notes)).toEqual([])
  const files = (await readdir(tmpdir())).filter((name) => name.startsWith('lockstep-rehearsal-') && !before.has(name))
  expect(files).toEqual([])
})
