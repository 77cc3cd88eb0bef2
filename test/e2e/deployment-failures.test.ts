import { describe, expect, onTestFinished, test } from 'vitest'
import { freePort } from '../../cli/embedded-process.ts'
import { ENVIRONMENT } from '../../lambda/contract.ts'
import { UNTOUCHED } from '../../lambda/errors.ts'
import { startHttpServer } from '../support/http-server.ts'
import { startCloud, type Cloud } from './cloud.ts'
import { synthesizedSets } from './migration-sets.ts'
import { SECRET_ARN } from './synthesize.ts'
import type { Credentials } from './world.ts'

const assembly = synthesizedSets('old')

/** Gives up connecting after a second: no test waits for a cluster that wakes up. */
const IMPATIENT = { [ENVIRONMENT.connectTimeout]: '1' }

interface Failure {
  readonly stackStatus: string
  readonly status: string
  readonly code: string
  readonly reason: string
  /** Under half of CloudFormation's limit, and without a stack trace. */
  readonly isShort: boolean
  /** What is in the database afterwards. */
  readonly tables: readonly unknown[]
}

const HARMLESS = { stackStatus: 'ROLLBACK_COMPLETE', status: 'FAILED', isShort: true }
const RECORDED = ['lockstep.migrations', 'lockstep.progress', 'lockstep.runs', 'lockstep.structure']

async function failureOf(cloud: Cloud): Promise<Failure> {
  const { stackStatus, responses } = await cloud.stack.deploy(assembly('old'))
  const [creation] = responses
  if (creation === undefined) throw new Error('The deployment called no custom resource')
  const { status, reason, bytes } = creation
  const tables = await cloud.database.rows(
    "SELECT format('%s.%s', schemaname, tablename) AS name FROM pg_tables WHERE schemaname IN ('public', 'lockstep') ORDER BY 1",
  )
  return {
    stackStatus,
    status,
    code: reason.replace(/:[^]*/, ''),
    reason,
    isShort: bytes < 2048 && !/^\s+at /m.test(reason),
    tables: tables.map(({ name }) => name),
  }
}

describe('a database', () => {
  test('that is down fails the deployment', async () => {
    const cloud = await startCloud({ environment: IMPATIENT })
    const port = await freePort()
    putSecret(cloud, { port })
    const failure = await failureOf(cloud)
    expect(failure).toMatchObject({ ...HARMLESS, code: 'DATABASE_UNREACHABLE', tables: [] })
    expect(failure.reason).toContain(`127.0.0.1:${port}`)
    expect(failure.reason).toContain(UNTOUCHED)
  })

  test('that refuses the password fails the deployment, and the password stays unsaid', async () => {
    const cloud = await startCloud({ environment: IMPATIENT })
    putSecret(cloud, { password: `${cloud.credentials.password}-wrong` })
    const failure = await failureOf(cloud)
    expect(failure).toMatchObject({ ...HARMLESS, code: 'DATABASE_UNREACHABLE', tables: [] })
    expect(failure.reason).toMatch(/password authentication failed/)
    expect(failure.reason).toContain(UNTOUCHED)
  })
})

describe('a secret', () => {
  test.each<readonly [string, (cloud: Cloud) => void, readonly RegExp[]]>([
    ['that does not exist', () => {}, [/ResourceNotFoundException/, /Check the ARN/]],
    ['that may not be read', ({ secrets }) => secrets.deny(SECRET_ARN), [/AccessDenied/, /Grant the function/]],
    ['that is not JSON', ({ secrets, credentials }) => secrets.put(SECRET_ARN, credentials.password), [/is not JSON/]],
    ['without a user name', (cloud) => putSecret(cloud, { username: undefined }), [/no key "username"/, /host/]],
    ['without a password', (cloud) => putSecret(cloud, { password: undefined }), [/no key "password"/]],
    ['without a host', (cloud) => putSecret(cloud, { host: undefined }), [/no key "host"/]],
    ['without a database name', (cloud) => putSecret(cloud, { dbname: undefined }), [/no key "dbname"/]],
    ['of another engine', (cloud) => putSecret(cloud, { engine: 'mysql' }), [/"mysql"/]],
  ])('%s fails the deployment', async (_name, arrange, says) => {
    const cloud = await startCloud({ secret: 'missing' })
    arrange(cloud)
    const failure = await failureOf(cloud)
    expect(failure).toMatchObject({ ...HARMLESS, code: 'SECRET_UNREADABLE', tables: [] })
    for (const text of says) expect(failure.reason).toMatch(text)
    expect(failure.reason).toContain(SECRET_ARN)
    expect(failure.reason).toContain(UNTOUCHED)
  })

  test('behind a Secrets Manager that does not answer fails within 15 s and names the endpoint', async () => {
    const cloud = await startCloud()
    cloud.secrets.hang(true)
    const startedAt = performance.now()
    const failure = await failureOf(cloud)
    expect(performance.now() - startedAt).toBeLessThan(15_000)
    expect(failure).toMatchObject({ ...HARMLESS, code: 'SECRET_UNREADABLE', tables: [] })
    expect(failure.reason).toMatch(/VPC endpoint com\.amazonaws\.\S+\.secretsmanager/)
  })
})

describe('a bucket', () => {
  test('that does not exist fails the deployment', async () => {
    const cloud = await startCloud({ snapshots: true, bucket: 'no-such-bucket' })
    const failure = await failureOf(cloud)
    expect(failure).toMatchObject({ ...HARMLESS, code: 'SNAPSHOT_FAILED', tables: RECORDED })
    expect(failure.reason).toMatch(/"no-such-bucket" does not exist.*as it was before.*Create the bucket/)
  })

  test('that may not be written fails the deployment', async () => {
    const body = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
    const refusing = await startHttpServer(async () => ({ status: 403, body }))
    onTestFinished(() => refusing.stop())
    const cloud = await startCloud({ snapshots: true, s3Endpoint: refusing.endpoint })
    const failure = await failureOf(cloud)
    expect(failure).toMatchObject({ ...HARMLESS, code: 'SNAPSHOT_FAILED', tables: RECORDED })
    expect(failure.reason).toMatch(/access denied.*as it was before.*Allow s3:PutObject/)
  })
})

function putSecret({ secrets, credentials }: Cloud, change: { readonly [K in keyof Credentials]?: unknown }): void {
  secrets.put(SECRET_ARN, JSON.stringify({ ...credentials, ...change }))
}
