import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { App, Duration } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, it } from 'vitest'
import { readAppContext, type AppContext } from '../../infra/app-context.ts'
import { migrationFunction, SECRET_ARN, SHOP_DIRECTORY, temporaryDirectory, type TemplateResource } from './fixtures.ts'

const EXISTING = {
  vpcId: 'vpc-0123456789abcdef0',
  availabilityZones: 'eu-central-1a,eu-central-1b',
  subnetIds: 'subnet-0123456789abcdef0,subnet-0123456789abcdef1',
  securityGroupIds: 'sg-0123456789abcdef0',
  secretArn: SECRET_ARN,
} as const

interface Synthesized {
  readonly status: number | null
  readonly stderr: string
  readonly outdir: string
}

/** Runs the app as the CDK CLI does: pinned Node, context and output directory in the environment. */
function synthesizeApp(context: Readonly<Record<string, string>>): Synthesized {
  const outdir = temporaryDirectory('assembly')
  const { status, stderr } = spawnSync(process.execPath, ['infra/app.ts'], {
    env: {
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify({
        'aws:cdk:enable-asset-metadata': true,
        migrations: SHOP_DIRECTORY,
        ...context,
      }),
    },
    encoding: 'utf8',
  })
  return { status, stderr, outdir }
}

function templateOf({ outdir }: Synthesized, stackName: string): Template {
  return Template.fromJSON(JSON.parse(readFileSync(join(outdir, `${stackName}.template.json`), 'utf8')) as object)
}

describe('the app', () => {
  it('makes an example database without any context', () => {
    // WHEN
    const synthesized = synthesizeApp({})

    // THEN
    expect(synthesized).toMatchObject({ status: 0, stderr: '' })
    const template = templateOf(synthesized, 'LockstepExample')
    template.resourceCountIs('AWS::RDS::DBCluster', 1)
    template.resourceCountIs('AWS::EC2::NatGateway', 0)
    template.resourceCountIs('AWS::EC2::VPCEndpoint', 2)
  })

  it('migrates an existing database, without look-ups', () => {
    // WHEN
    const synthesized = synthesizeApp({
      ...EXISTING,
      stackName: 'Shop',
      host: 'db.example.com',
      port: '6432',
      databaseName: 'shop',
      set: 'billing',
      transaction: 'migration',
      onRollback: 'keep',
      snapshot: 'none',
      tls: 'disable',
      bucketName: 'own-bucket',
    })

    // THEN every value of the function's environment is known at synth
    expect(synthesized).toMatchObject({ status: 0, stderr: '' })
    const fn = migrationFunction(templateOf(synthesized, 'Shop'))
    expect(fn.Properties.Environment).toEqual({
      Variables: {
        LOCKSTEP_SECRET_ARN: SECRET_ARN,
        LOCKSTEP_DATABASE_HOST: 'db.example.com',
        LOCKSTEP_DATABASE_PORT: '6432',
        LOCKSTEP_DATABASE_NAME: 'shop',
        LOCKSTEP_TLS: 'disable',
        LOCKSTEP_SET: 'billing',
        LOCKSTEP_HISTORY_SCHEMA: 'lockstep',
        LOCKSTEP_MIGRATIONS: 'migrations',
        LOCKSTEP_MIGRATIONS_DIGEST: expect.stringMatching(/^[0-9a-f]{64}$/),
        LOCKSTEP_SNAPSHOTS: 's3://own-bucket/lockstep/Shop/billing',
        LOCKSTEP_SNAPSHOT_MODE: 'none',
        LOCKSTEP_TRANSACTION: 'migration',
        LOCKSTEP_ON_ROLLBACK: 'keep',
        LOCKSTEP_ON_FAILURE: 'revert',
        LOCKSTEP_AUTO_APPLY: 'true',
      },
    })
    for (const file of [
      'index.mjs',
      'pg-dump-worker.mjs',
      'pg_dump.wasm',
      'libpg-query.wasm',
      'migrations/manifest.json',
    ]) {
      expect(existsSync(join(synthesized.outdir, assetOf(fn), file))).toBe(true)
    }
  })

  it('tells a mistake in one line', () => {
    // WHEN
    const { status, stderr } = synthesizeApp({ transaction: 'all' })

    // THEN
    expect(status).toBe(1)
    expect(stderr.trim()).toBe('CONFIG_INVALID: the context value "transaction" is "all". Give one of: run, migration.')
  })
})

describe('the context', () => {
  it('may hold lists and numbers, as cdk.json does', () => {
    expect(read({ ...EXISTING, subnetIds: ['subnet-1', 'subnet-2'], port: 6432 })).toMatchObject({
      existing: { subnetIds: ['subnet-1', 'subnet-2'], port: 6432 },
    })
  })

  it('chooses a snapshot with all that can be said of it', () => {
    const logical = {
      snapshotScope: 'schemas:shop,billing',
      snapshotExclude: 'audit.*, shop.sessions',
      snapshotWorkers: '8',
      snapshotKeepLast: '3',
      snapshotExpireAfter: '90',
    }
    expect(read(logical).snapshot.choice).toEqual({
      mode: 'logical',
      scope: { schemas: ['shop', 'billing'] },
      exclude: ['audit.*', 'shop.sessions'],
      workers: 8,
      keepLast: 3,
      expireAfter: Duration.days(90),
    })
    expect(read({ snapshot: 'rds', clusterIdentifier: 'shop', snapshotKeepLast: 2 }).snapshot.choice).toEqual({
      mode: 'rds',
      clusterIdentifier: 'shop',
      keepLast: 2,
    })
  })

  it.each([
    [{ snapshot: 'full' }, '"snapshot" is "full". Give one of: logical, rds, none.'],
    [{ snapshotScope: 'all' }, '"snapshotScope" is "all". Give database, affected, or schemas:one,another.'],
    [{ snapshotKeepLast: 'all' }, '"snapshotKeepLast" is "all". Give a number of snapshots.'],
    [{ snapshot: 'rds', snapshotWorkers: '2' }, '"snapshotWorkers" is "2". Leave it out: the snapshot is "rds".'],
    [{ instanceIdentifier: 'shop' }, '"instanceIdentifier" is "shop". Leave it out: the snapshot is "logical".'],
    [{ onRollback: 'down' }, '"onRollback" is "down". Give one of: revert, keep.'],
    [{ onFailure: 'keep' }, '"onFailure" is "keep". Give one of: revert, restore.'],
    [{ tls: 'off' }, '"tls" is "off". Give one of: verify-full, disable.'],
    [{ set: { name: 'a' } }, '"set" is "{"name":"a"}". Give a text.'],
    [{ ...EXISTING, port: '70000' }, '"port" is "70000". Give 1 to 65535.'],
    [{ ...EXISTING, secretArn: 'shop' }, '"secretArn" is "shop". Give the whole ARN'],
    [{ ...EXISTING, subnetIds: 'subnet-1' }, '"subnetIds" is "subnet-1". Give one subnet for each'],
    [{ vpcId: 'vpc-1' }, 'the context lacks availabilityZones, subnetIds, securityGroupIds, secretArn.'],
  ])('is refused with what is wrong: %j', (context, message) => {
    expect(() => read(context)).toThrow(message)
  })
})

function read(context: Readonly<Record<string, unknown>>): AppContext {
  return readAppContext(new App({ autoSynth: false, context, outdir: temporaryDirectory('cdk.out') }).node)
}

function assetOf({ Metadata }: TemplateResource): string {
  return Metadata?.['aws:asset:path'] ?? ''
}
