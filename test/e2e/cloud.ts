import { randomUUID } from 'node:crypto'
import { expect, onTestFinished } from 'vitest'
import { ENVIRONMENT } from '../../lambda/contract.ts'
import type { PhysicalLookup } from '../support/cloudformation/resource.ts'
import type { Stack } from '../support/cloudformation/stack-types.ts'
import { startCloudFormation, type CloudFormation } from '../support/cloudformation/service.ts'
import { createDatabase, onServer, type TestDatabase } from '../support/database.ts'
import type { FunctionDefinition } from '../support/lambda/definition.ts'
import { startLambda, type LambdaService } from '../support/lambda/service.ts'
import { startS3, type TestS3 } from '../support/s3.ts'
import { startSecretsManager, type SecretsManager } from '../support/secrets-manager.ts'
import { SECRET_ARN } from './synthesize.ts'

export interface CloudOptions {
  /** Takes a snapshot before each change, as the construct's default has it. @default false: a test has not the time */
  readonly snapshots?: boolean
  /** Overrides of the migration function's environment. @default {} */
  readonly environment?: Readonly<Record<string, string>>
  /** An S3 endpoint in place of the working one. */
  readonly s3Endpoint?: string
  /** @default a bucket that exists */
  readonly bucket?: string
  /** @default 'good' */
  readonly secret?: 'good' | 'missing'
}

/** A region of its own for one test: database, secret, bucket, Lambda and one stack. */
export interface Cloud {
  readonly database: TestDatabase
  readonly secrets: SecretsManager
  readonly s3: TestS3
  readonly lambda: LambdaService
  readonly cloudFormation: CloudFormation
  /** The stack that migrates the database; nothing is deployed yet. */
  readonly stack: Stack
  /** What the secret holds. */
  readonly credentials: Credentials
}

export interface Credentials {
  readonly engine: string
  readonly host: string
  readonly port: number
  readonly dbname: string
  readonly username: string
  readonly password: string
}

const BUCKET = 'shop-snapshots'

/** Starts all of it; when the test has finished, fails it if the password was ever said. */
export async function startCloud(options: CloudOptions = {}): Promise<Cloud> {
  const owner = await createOwner()
  const database = await createDatabase()
  await onServer(`ALTER DATABASE ${database.name} OWNER TO ${owner.username}`)
  const { hostname, port } = new URL(database.url)
  const credentials = { engine: 'postgres', host: hostname, port: Number(port), dbname: database.name, ...owner }
  const [secrets, s3] = await Promise.all([startSecretsManager(), startS3()])
  if (options.secret !== 'missing') secrets.put(SECRET_ARN, JSON.stringify(credentials))
  await s3.createBucket(BUCKET)
  const lambda = await startLambda({ SECRETS_MANAGER: secrets.endpoint, S3: options.s3Endpoint ?? s3.endpoint })
  const withoutSnapshots = options.snapshots === true ? {} : { [ENVIRONMENT.snapshotMode]: 'none' }
  const environment = { ...withoutSnapshots, ...options.environment }
  const cloudFormation = await startCloudFormation(lambda)
  const stack = cloudFormation.createStack({
    name: 'Shop',
    physical: physicalValues(options.bucket ?? BUCKET),
    adjust: (definition) => withEnvironment(definition, environment),
  })
  onTestFinished(async () => {
    const answers = JSON.stringify([lambda.invocations(), stack.responses()])
    const said = [await lambda.logs(), answers, await recordsOf(database)]
    await Promise.all([lambda.stop(), cloudFormation.stop(), secrets.stop(), s3.stop()])
    const leaks = said
      .join('\n')
      .split('\n')
      .filter((line) => line.includes(credentials.password))
    expect(leaks, 'the password was said').toEqual([])
  })
  return { database, secrets, s3, lambda, cloudFormation, stack, credentials }
}

/** Like the master user of an RDS database: owns it, but is no superuser. */
async function createOwner(): Promise<Pick<Credentials, 'username' | 'password'>> {
  const id = randomUUID().replaceAll('-', '')
  const owner = { username: `owner_${id.slice(0, 12)}`, password: `canary-${id}` }
  await onServer(`CREATE ROLE ${owner.username} LOGIN PASSWORD '${owner.password}'`)
  onTestFinished(() => onServer(`DROP ROLE ${owner.username}`))
  return owner
}

function physicalValues(bucket: string): PhysicalLookup {
  return ({ type }) => (type === 'AWS::S3::Bucket' ? { ref: bucket } : undefined)
}

function withEnvironment(
  definition: FunctionDefinition,
  environment: Readonly<Record<string, string>>,
): FunctionDefinition {
  if (definition.handler.startsWith('framework.')) return definition
  return { ...definition, environment: { ...definition.environment, ...environment } }
}

/** Everything that Lockstep wrote about itself into the database. */
async function recordsOf({ rows }: TestDatabase): Promise<string> {
  const tables = await rows(
    "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'lockstep'",
  )
  const contents = await Promise.all(tables.map(({ name }) => rows(`SELECT * FROM ${String(name)}`)))
  return JSON.stringify(contents)
}
