import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDatabase } from '../support/database.ts'
import { installPackage, PROJECT, run, succeed } from '../support/package.ts'
import { FIRST, runCli, type CliResult } from './cli/run-cli.ts'

const SECOND = '20260102000000_add_note'

const MIGRATION = `import type { MigrationContext } from 'cdk-lockstep'

export async function up({ query, log }: MigrationContext): Promise<void> {
  const added = await query<{ id: number }>('INSERT INTO notes VALUES ($1) RETURNING id', [7])
  log(\`added \${added.map(({ id }) => id.toFixed()).join()}\`)
}

export async function down({ query }: MigrationContext): Promise<void> {
  await query('DELETE FROM notes')
}
`

const STACK = `
const stack = new cdk.Stack(new cdk.App({ outdir: 'OUTDIR', builtinCloudFormationValidation: false }), 'Shop')
const secret = secretsmanager.Secret.fromSecretNameV2(stack, 'Secret', 'shop')
const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Vpc', { vpcId: 'vpc-1', availabilityZones: ['a'], privateSubnetIds: ['s'] })
const database = { secret, vpc, securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-1')] }
new DatabaseMigration(stack, 'Migration', { database, migrations: 'migrations', snapshot: Snapshot.logical() })
`

const ESM_IMPORTS = `import * as cdk from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import { DatabaseMigration, Snapshot } from 'cdk-lockstep'
`

const COMMONJS_IMPORTS = `const cdk = require('aws-cdk-lib')
const { aws_ec2: ec2, aws_secretsmanager: secretsmanager } = cdk
const { DatabaseMigration, Snapshot } = require('cdk-lockstep')
`

/** Declarations that could not be resolved would be \`any\`, and take everything. */
const MISUSES = `
// @ts-expect-error: Snapshot.none() is meant.
new DatabaseMigration(stack, 'Other', { database, migrations: 'migrations', snapshot: 'none' })
export const wrong = (context: MigrationContext): unknown =>
  // @ts-expect-error: no such member.
  context.transaction
`

const FILES = {
  'package.json': '{ "type": "module" }\n',
  'app.js': ESM_IMPORTS + STACK.replace('OUTDIR', 'from-esm'),
  'app.cjs': COMMONJS_IMPORTS + STACK.replace('OUTDIR', 'from-commonjs'),
  'app.ts': `${ESM_IMPORTS}import type { MigrationContext } from 'cdk-lockstep'\n${STACK}${MISUSES}`,
  [`migrations/${FIRST}.sql`]:
    '-- migrate:up\nCREATE TABLE notes (id int PRIMARY KEY);\n-- migrate:down\nDROP TABLE notes;\n',
  [`migrations/${SECOND}.ts`]: MIGRATION,
}

describe('the package', () => {
  let root: string
  let consumer: string
  let installed: string
  let tarball: string

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'lockstep-package-'))
    consumer = join(root, 'consumer')
    installed = join(consumer, 'node_modules', 'cdk-lockstep')
    tarball = installPackage(join(root, 'copy'), consumer)
    for (const [name, text] of Object.entries(FILES)) {
      mkdirSync(dirname(join(consumer, name)), { recursive: true })
      writeFileSync(join(consumer, name), text)
    }
  })

  afterAll(() => rmSync(root, { recursive: true, force: true }))

  test('holds what it needs and nothing else', () => {
    const files = readdirSync(installed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1))

    const others = files.filter((file) => !/^dist[/\\](cli|infra|lambda)[/\\].*\.(js|d\.ts)$/.test(file))
    const documents = readdirSync(join(PROJECT, 'docs')).map((file) => join('docs', file))
    expect(others.toSorted()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', ...documents.toSorted(), 'package.json'])
    expect(files.filter((file) => /\b(?:test|demo|example|app)\b/.test(file))).toEqual([])
    expect(statSync(tarball).size).toBeLessThan(600_000)
    const namesThisMachine = (file: string): boolean => {
      const text = readFileSync(join(installed, file), 'utf8')
      return text.includes(`${PROJECT}/`) || text.includes(root)
    }
    expect(files.filter(namesThisMachine)).toEqual([])
  })

  test.each([
    ['an ES module', 'app.js', 'from-esm'],
    ['a CommonJS module', 'app.cjs', 'from-commonjs'],
  ])('synthesizes an app that is %s', (_, app, outdir) => {
    succeed(process.execPath, [app], consumer)

    const assembly = join(consumer, outdir)
    const [asset = ''] = readdirSync(assembly).filter((name) =>
      readdirIfAny(join(assembly, name)).includes('index.mjs'),
    )
    expect(readdirSync(join(assembly, asset), { recursive: true, encoding: 'utf8' }).toSorted()).toEqual([
      'index.mjs',
      'libpg-query.wasm',
      'migrations',
      `migrations/${FIRST}.sql`,
      `migrations/${SECOND}.mjs`,
      `migrations/${SECOND}.ts`,
      'migrations/manifest.json',
      'pg-dump-worker.mjs',
      'pg_dump.wasm',
    ])
    // Where no node_modules can be found.
    const alone = join(root, outdir)
    cpSync(join(assembly, asset), alone, { recursive: true })
    const script = "console.log(typeof (await import('./index.mjs')).handler)"
    expect(succeed(process.execPath, ['--input-type=module', '--eval', script], alone).trim()).toBe('function')
  })

  test('declares its types to an app and to a migration', () => {
    const compiler = join(PROJECT, 'node_modules', 'typescript', 'bin', 'tsc')
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node']
    const { output } = run(process.execPath, [compiler, ...options, 'app.ts', `migrations/${SECOND}.ts`], consumer)

    expect(output).toBe('')
  })

  test('runs migrations from its command line, with a snapshot', async () => {
    const database = await createDatabase()
    const lockstep = (...args: readonly string[]): Promise<CliResult> =>
      runCli(args, {
        entry: join(consumer, 'node_modules', '.bin', 'lockstep'),
        directory: consumer,
        environment: { LOCKSTEP_DATABASE_URL: database.url, LOCKSTEP_SNAPSHOTS: join(root, 'snapshots') },
      })

    expect(await lockstep('--help')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Usage: lockstep') })
    expect((await lockstep('plan', '--json')).document()).toMatchObject({ steps: [{ id: FIRST }, { id: SECOND }] })
    const up = await lockstep('up')
    expect(up).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('added 7') })
    expect((await lockstep('status', '--json')).document()).toMatchObject({ current: SECOND, upToDate: true })
    expect(await database.rows('SELECT id FROM notes')).toEqual([{ id: 7 }])
    expect(readdirSync(join(root, 'snapshots'))).toEqual([database.name])
  })
})

function readdirIfAny(path: string): readonly string[] {
  return statSync(path).isDirectory() ? readdirSync(path) : []
}
