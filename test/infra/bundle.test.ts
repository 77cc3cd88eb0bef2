import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { App, FileSystem } from 'aws-cdk-lib'
import { DISABLE_ASSET_STAGING_CONTEXT } from 'aws-cdk-lib/cx-api'
import { beforeAll, describe, expect, it, test } from 'vitest'
import { bundleModules, bundleRuntime, type BundleFile } from '../../infra/bundle-runtime.ts'
import { bundleFunction } from '../../infra/bundle.ts'
import { readMigrationSet } from '../../infra/migration-set.ts'
import { readMigrationBundle } from '../../lambda/engine/migration/migration-bundle.ts'
import { checksumOf } from '../../lambda/engine/migration/migration-directory.ts'
import type { MigrationManifest } from '../../lambda/manifest.ts'
import { createMigration, createStack, migrationsDirectory, SHOP, temporaryDirectory } from './fixtures.ts'

const BACKFILL = `import type { MigrationContext } from './context.d.ts'
import { STATEMENT } from './helpers/statement.ts'

export async function up({ query }: MigrationContext): Promise<void> {
  await query(STATEMENT)
}
export async function down(): Promise<void> {}
`

const WITH_TYPESCRIPT = {
  ...SHOP,
  '20260103_backfill.ts': BACKFILL,
  'context.d.ts': 'export interface MigrationContext { readonly query: (sql: string) => Promise<unknown> }\n',
  'helpers/statement.ts': "export const STATEMENT = 'UPDATE orders SET id = id'\n",
}

function bundle(files: Readonly<Record<string, string>>, certificateAuthority?: string): string {
  const outdir = temporaryDirectory('bundle')
  bundleFunction({ migrations: readMigrationSet(migrationsDirectory(files)), outdir, certificateAuthority })
  return outdir
}

/** Runs a script in a directory from which no `node_modules` can be found. */
function runIn(directory: string, script: string): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: directory,
    env: { PATH: '', AWS_REGION: 'eu-central-1', LAMBDA_TASK_ROOT: directory },
    encoding: 'utf8',
  })
  return { status, output: stdout + stderr }
}

test('the bundle carries the repeatables, and their texts count for the digest', () => {
  // GIVEN
  const files = { ...SHOP, 'repeatable/views.sql': 'SELECT 2;\n', 'repeatable/a.sql': 'SELECT 1;' }

  // WHEN
  const directory = bundle(files)
  const [same, changed, without] = [files, { ...files, 'repeatable/views.sql': 'SELECT 3;\n' }, SHOP].map((each) =>
    readMigrationSet(migrationsDirectory(each)),
  )

  // THEN
  const read = readMigrationBundle(join(directory, 'migrations'))
  expect(read.slice(-2)).toMatchObject([
    { id: 'repeatable/a', repeatable: true },
    { id: 'repeatable/views', repeatable: true, source: 'SELECT 2;\n' },
  ])
  expect(new Set([same?.digest, changed?.digest, without?.digest]).size).toBe(3)
  expect(same?.head).toBe(without?.head)
})

test('the bundle carries what was found of the migrations as they are, and the policy beside them', () => {
  // GIVEN
  const [file, text] = Object.entries(SHOP)[0] ?? ['', '']
  const id = file.replace('.sql', '')
  const checksum = checksumOf(text)
  const entry = { checksum, proof: { verdict: 'proven', detail: '' }, hazards: [], creates: [] }
  const old = { ...entry, checksum: 'of another text' }
  const migrations = { [id]: entry, [Object.keys(SHOP)[1]?.replace('.sql', '') ?? '']: old }

  // WHEN
  const directory = bundle({
    ...SHOP,
    'lockstep.analysis.json': JSON.stringify({ version: 1, migrations }),
    'lockstep.policy.json': '{"environment":"production"}',
  })

  // THEN
  const at = (name: string): string => readFileSync(join(directory, 'migrations', name), 'utf8')
  const manifest = JSON.parse(at('manifest.json')) as MigrationManifest
  expect(manifest.migrations.map(({ analysis }) => analysis?.proof?.verdict)).toEqual(['proven', undefined])
  expect(JSON.parse(at('lockstep.policy.json'))).toEqual({ environment: 'production' })
})

describe('the bundle', () => {
  let directory: string

  beforeAll(() => {
    directory = bundle(WITH_TYPESCRIPT)
  })

  it('holds everything that the function needs', () => {
    expect(readdirSync(directory).toSorted()).toEqual([
      'index.mjs',
      'libpg-query.wasm',
      'migrations',
      'pg-dump-worker.mjs',
      'pg_dump.wasm',
    ])
  })

  it('loads without node_modules', () => {
    // WHEN
    const { status, output } = runIn(directory, `const m = await import('./index.mjs'); console.log(typeof m.handler)`)

    // THEN
    expect({ status, output: output.trim() }).toEqual({ status: 0, output: 'function' })
  })

  it('stays small enough for a quick cold start', () => {
    expect(statSync(join(directory, 'index.mjs')).size).toBeLessThan(1_600_000)
  })

  it('leaves the command line of umzug out', () => {
    expect(readFileSync(join(directory, 'index.mjs'), 'utf8')).not.toContain('argparse')
  })

  it('names no directory of the machine that made it', () => {
    for (const file of [
      'index.mjs',
      'pg-dump-worker.mjs',
      'migrations/20260103_backfill.mjs',
      'migrations/manifest.json',
    ]) {
      const text = readFileSync(join(directory, file), 'utf8')
      expect(text).not.toContain(process.cwd())
      expect(text).not.toContain('node_modules/')
    }
  })

  it('has the same bytes each time', () => {
    // WHEN
    const modules = bundleModules({ index: 'lambda/handler.ts', 'pg-dump-worker': 'lambda/snapshot/pg-dump-worker.ts' })
    const other = bundle(WITH_TYPESCRIPT)

    // THEN
    expect(modules.map(digestOfFile)).toEqual(bundleRuntime().map(digestOfFile))
    expect(FileSystem.fingerprint(other)).toBe(FileSystem.fingerprint(directory))
  })

  it('does not depend on the line endings of the checkout', () => {
    // WHEN
    const other = bundle(mapValues(SHOP, (text) => text.replaceAll('\n', '\r\n')))

    // THEN
    expect(FileSystem.fingerprint(other)).toBe(FileSystem.fingerprint(bundle(SHOP)))
  })

  it('lists the migrations with their parents, in order', () => {
    // WHEN
    const manifest = JSON.parse(readFileSync(join(directory, 'migrations/manifest.json'), 'utf8')) as MigrationManifest

    // THEN
    expect(manifest).toEqual({
      version: 1,
      migrations: [
        {
          id: '20260101_products',
          kind: 'sql',
          parents: [],
          file: '20260101_products.sql',
          checksum: expect.any(String),
        },
        {
          id: '20260102_orders',
          kind: 'sql',
          parents: ['20260101_products'],
          file: '20260102_orders.sql',
          checksum: expect.any(String),
        },
        {
          id: '20260103_backfill',
          kind: 'ts',
          parents: ['20260102_orders'],
          file: '20260103_backfill.ts',
          module: '20260103_backfill.mjs',
          checksum: expect.any(String),
        },
      ],
    })
  })

  it('carries each source, and each TypeScript migration compiled with what it imports', () => {
    // GIVEN
    const alone = temporaryDirectory('alone')
    cpSync(join(directory, 'migrations'), alone, { recursive: true })
    const script = `const { up } = await import('./20260103_backfill.mjs'); await up({ query: async (sql) => console.log(sql) })`

    // WHEN
    const { output } = runIn(alone, script)

    // THEN
    expect(output.trim()).toBe('UPDATE orders SET id = id')
    expect(readFileSync(join(alone, '20260103_backfill.ts'), 'utf8')).toBe(BACKFILL)
    expect(readFileSync(join(alone, '20260101_products.sql'), 'utf8')).toBe(SHOP['20260101_products.sql'])
  })

  it('carries the certificates to trust', () => {
    expect(readFileSync(join(bundle(SHOP, 'PEM'), 'certificate-authority.pem'), 'utf8')).toBe('PEM')
    expect(existsSync(join(directory, 'certificate-authority.pem'))).toBe(false)
  })
})

describe('WebAssembly in the bundle', () => {
  it('is found beside the modules', () => {
    // GIVEN a bundle of a probe that parses SQL and gives pg_dump an option that it refuses
    const directory = temporaryDirectory('probe')
    for (const { path, contents } of bundleModules({ probe: 'test/infra/web-assembly-probe.ts' })) {
      writeFileSync(join(directory, path), contents)
    }

    // WHEN
    const { output } = runIn(directory, `await import('./probe.mjs')`)

    // THEN
    expect(output).toContain('statements: 2')
    expect(output).toContain('unrecognized option: no-such-option')
  })
})

describe('a TypeScript migration that cannot be compiled', () => {
  it('is named, with what is wrong', () => {
    // GIVEN a migration that Node loads and that cannot be made to stand alone
    const source = "export async function up() { await import('not-installed') }\nexport function down() {}\n"

    // THEN
    expect(() => bundle({ '1_late.ts': source })).toThrow(/1_late\.ts: it cannot be compiled: .*not-installed/s)
  })
})

function digestOfFile({ path, contents }: BundleFile): string {
  return `${path} ${createHash('sha256').update(contents).digest('hex')}`
}

function mapValues(
  record: Readonly<Record<string, string>>,
  change: (text: string) => string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(record).map(([name, text]) => [name, change(text)]))
}

describe('without staging', () => {
  it('stays in the cloud assembly, where CDK refers to it', () => {
    // GIVEN
    const outdir = temporaryDirectory('cdk.out')
    const app = new App({ autoSynth: false, outdir, context: { [DISABLE_ASSET_STAGING_CONTEXT]: true } })

    // WHEN
    createMigration(createStack(app))

    // THEN
    const [directory = ''] = readdirSync(outdir).filter((name) => name.startsWith('lockstep.'))
    expect(existsSync(join(outdir, directory, 'index.mjs'))).toBe(true)
  })
})
