import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { createDatabase } from '../../support/database.ts'
import { writeFiles } from '../../support/source-files.ts'
import { runCli } from './run-cli.ts'

const SHADOW = ['--shadow-url', inject('serverUrl')]

const FILES = {
  '1_shop.sql': '-- migrate:up\nCREATE TABLE orders (id int PRIMARY KEY, total int);\n',
  '2_total.sql':
    '-- lockstep:allow set-not-null-scans the table is small\n-- migrate:up\nALTER TABLE orders\n  ALTER COLUMN total SET NOT NULL;\n',
  '3_index.sql':
    '-- lockstep:allow table-dropped nothing is dropped\n-- migrate:up\nCREATE INDEX orders_total ON orders (total);\n',
}

interface Document {
  readonly migrations: readonly {
    readonly id: string
    readonly hazards: readonly { readonly id: string; readonly allowed: string | null; readonly detail: string }[]
  }[]
  readonly problems: readonly { readonly file: string; readonly line: number; readonly hazard: string }[]
  readonly severe: number
}

test('lint fails for what is not allowed and for what is allowed in vain, in every form', async () => {
  const directory = await writeFiles(FILES)
  const lint = (...args: readonly string[]) => runCli(['lint', '--migrations', directory, ...SHADOW, ...args])
  const [text, json, github] = await Promise.all([
    lint('--write'),
    lint('--json'),
    lint('--format', 'github', '--only', '3_index'),
  ])
  expect([text.exitCode, json.exitCode, github.exitCode]).toEqual([1, 1, 1])
  expect(text.stdout).toContain('✗ index-not-concurrent')
  expect(text.stdout).toContain('CREATE INDEX CONCURRENTLY orders_total ON orders (total);')
  const { migrations, problems, severe } = json.document() as unknown as Document
  expect(severe).toBe(1)
  expect(migrations[1]?.hazards.find(({ id }) => id === 'set-not-null-scans')?.allowed).toBe('the table is small')
  expect(problems).toMatchObject([{ file: '3_index.sql', line: 1, hazard: 'table-dropped' }])
  const path = join(directory, '3_index.sql').replaceAll(':', '%3A')
  expect(github.stdout.split('\n').map((line) => line.split('::', 2).join('::'))).toContain(
    `::error file=${path},line=3,title=index-not-concurrent`,
  )
  const analysis = JSON.parse(await readFile(join(directory, 'lockstep.analysis.json'), 'utf8')) as {
    readonly migrations: Readonly<
      Record<string, { readonly hazards: readonly { readonly id: string }[]; readonly locks: unknown }>
    >
  }
  expect(Object.keys(analysis.migrations)).toEqual(['1_shop', '2_total', '3_index'])
  expect(analysis.migrations['3_index']?.hazards.map(({ id }) => id)).toContain('index-not-concurrent')
  expect(analysis.migrations['3_index']?.locks).toEqual([{ relation: 'public.orders', mode: 'SHARE', line: 3 }])
})

test('with a database, only what is pending on it is looked at, weighed by its size and asked of its rows', async () => {
  const database = await createDatabase()
  const directory = await writeFiles({ '1_shop.sql': FILES['1_shop.sql'] })
  const on = ['--database-url', database.url, '--migrations', directory]
  expect((await runCli(['up', ...on])).exitCode).toBe(0)
  await database.rows('INSERT INTO orders VALUES (1, NULL), (2, NULL); ANALYZE orders')
  const more = await writeFiles({ '1_shop.sql': FILES['1_shop.sql'], '2_total.sql': FILES['2_total.sql'] })
  const pending = ['--database-url', database.url, '--migrations', more]
  const statistics = join(more, 'statistics.json')
  const [linted, status] = await Promise.all([
    runCli(['lint', '--pending', '--json', ...SHADOW, ...pending]),
    runCli(['status', '--statistics', statistics, ...pending]),
  ])
  expect([linted.exitCode, status.exitCode]).toEqual([1, 0])
  const { migrations } = linted.document() as unknown as Document
  expect(migrations.map(({ id }) => id)).toEqual(['2_total'])
  const details = migrations[0]?.hazards
    .filter(({ id }) => !id.startsWith('squawk:'))
    .map(({ id, detail }) => [id, detail])
  expect(details).toEqual([
    [
      'set-not-null-scans',
      expect.stringMatching(/^scans public\.orders under ACCESS EXCLUSIVE; public\.orders has .*2 rows/),
    ],
    ['existing-data-violates', 'orders demands total NOT NULL, and 2 rows violate it'],
  ])
  expect(JSON.parse(await readFile(statistics, 'utf8'))).toMatchObject({
    version: 1,
    relations: { 'public.orders': { rows: 2 } },
  })
  const weighed = await runCli(['lint', '--migrations', more, ...SHADOW, '--statistics', statistics, '--all'])
  expect(weighed.exitCode).toBe(0)
  expect(weighed.stdout).toContain('public.orders has')
})

test('lint refuses a migration that is not there, and statistics that are none', async () => {
  const directory = await writeFiles(FILES)
  const run = (...args: readonly string[]) => runCli(['lint', '--json', '--migrations', directory, ...args])
  const [unknown, wrong] = await Promise.all([run('--only', '9'), run('--statistics', join(directory, '1_shop.sql'))])
  expect([unknown.exitCode, wrong.exitCode]).toEqual([1, 1])
  expect(unknown.document()).toMatchObject({ error: { code: 'MIGRATION_UNKNOWN' } })
  expect(wrong.document()).toMatchObject({ error: { code: 'CONFIG_INVALID' } })
})

test('production is asked of the command line by option and by variable', async () => {
  const database = await createDatabase()
  const directory = await writeFiles({ ...FILES, 'lockstep.policy.json': '{"requireSnapshot":false}' })
  const on = ['--json', '--database-url', database.url, '--migrations', directory]
  const [refused, planned, wrong] = await Promise.all([
    runCli(['up', '--environment', 'production', ...on]),
    runCli(['plan', ...on], { environment: { LOCKSTEP_ENVIRONMENT: 'production', LOCKSTEP_REQUIRE_PROOF: 'no' } }),
    runCli(['up', ...on], { environment: { LOCKSTEP_HAZARDS: 'sometimes' } }),
  ])
  expect(refused.document()).toMatchObject({ status: 'failed', error: { code: 'HAZARD_REFUSED', migration: '1_shop' } })
  expect(planned.document()).toMatchObject({
    policy: {
      environment: 'production',
      policy: { requireProof: false, requireSnapshot: false },
      sources: { environment: 'environment variable', requireProof: 'environment variable', requireSnapshot: 'file' },
    },
  })
  expect(wrong.document()).toMatchObject({ error: { code: 'CONFIG_INVALID' } })
  expect((await runCli(['up', ...on])).exitCode).toBe(0)
  const down = await runCli(['down', '--environment', 'staging', ...on])
  expect(down.document()).toMatchObject({ error: { code: 'MIGRATION_IRREVERSIBLE' } })
})
