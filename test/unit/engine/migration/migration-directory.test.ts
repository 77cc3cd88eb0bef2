import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readMigrationDirectory } from '../../../../lambda/engine/migration/migration-directory.ts'
import { reportThrownBy } from '../../../support/report.ts'
import { writeFiles } from '../../../support/source-files.ts'

const UP = '-- migrate:up\nSELECT 1;\n'

test('every .sql and .ts file is a migration, but for declarations, hidden files and the seed', async () => {
  const directory = await writeFiles({
    '1_a.sql': UP,
    "2_it's b.sql": UP,
    '3_ü.ts': 'export const up = (): void => {}\n',
    'types.d.ts': '',
    '.hidden.sql': '',
    'seed.sql': '',
    'README.md': '',
    'package.json': '{"type":"module"}',
  })
  expect(readMigrationDirectory(directory).map(({ id, kind }) => `${kind} ${id}`)).toEqual([
    'sql 1_a',
    "sql 2_it's b",
    'ts 3_ü',
  ])
})

test('the .sql files of repeatable/ come with them, and nothing else may stand there', async () => {
  const directory = await writeFiles({
    '1_a.sql': UP,
    'repeatable/views.sql': '-- lockstep:lock-timeout 2s\nSELECT 1;\n',
    'repeatable/README.md': '',
  })
  const [first, second, ...others] = readMigrationDirectory(directory)
  expect([first, second]).toMatchObject([
    { id: '1_a', repeatable: false },
    { id: 'repeatable/views', file: 'repeatable/views.sql', repeatable: true, directives: { lockTimeoutMs: 2000 } },
  ])
  expect(others).toEqual([])
  await writeFile(join(directory, 'repeatable', 'code.ts'), '')
  expect(await reportThrownBy(() => readMigrationDirectory(directory))).toMatchObject({
    code: 'MIGRATION_INVALID',
    message: 'repeatable/code.ts: a repeatable is a .sql file.',
  })
})

test('a directory that is not there, and two files with one id, are refused', async () => {
  expect(await reportThrownBy(() => readMigrationDirectory('/nowhere'))).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('"/nowhere" cannot be read'),
  })
  const directory = await writeFiles({
    '1_a.sql': UP,
    '1_a.ts': 'export const up = (): void => {}\n',
    'package.json': '{"type":"module"}',
  })
  expect(await reportThrownBy(() => readMigrationDirectory(directory))).toMatchObject({
    code: 'MIGRATION_INVALID',
    message: '1_a.ts: two files have the id "1_a".',
  })
})

test('a file that is not UTF-8 is refused, not mangled', async () => {
  const directory = await writeFiles({})
  await writeFile(join(directory, '1_latin.sql'), Buffer.from(`${UP}SELECT 'M\xfcller';\n`, 'latin1'))
  expect(await reportThrownBy(() => readMigrationDirectory(directory))).toMatchObject({
    code: 'MIGRATION_INVALID',
    message: '1_latin.sql: it is not UTF-8 text.',
  })
})

test('TypeScript that Node takes for CommonJS says what to do', async () => {
  const directory = await writeFiles({
    '1_a.ts': 'export const up = (): void => {}\n',
    'package.json': '{"type":"commonjs"}',
  })
  expect(await reportThrownBy(() => readMigrationDirectory(directory))).toMatchObject({
    code: 'MIGRATION_INVALID',
    remedy: expect.stringContaining('"type": "module"'),
  })
})
