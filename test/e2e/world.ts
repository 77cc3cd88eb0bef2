import { randomUUID } from 'node:crypto'
import { ENVIRONMENT } from '../../lambda/contract.ts'
import type { PhysicalLookup } from '../support/cloudformation/resource.ts'
import { startCloudFormation, type CloudFormation } from '../support/cloudformation/service.ts'
import type { Stack } from '../support/cloudformation/stack-types.ts'
import type { FunctionDefinition } from '../support/lambda/definition.ts'
import { startLambda, type LambdaService } from '../support/lambda/service.ts'
import { startRds, type TestRds } from '../support/rds.ts'
import { readText, startS3, type TestS3 } from '../support/s3.ts'
import { createScratchDatabase, rowsOf, type Defer, type TestDatabase } from '../support/scratch-database.ts'
import { startSecretsManager, type SecretsManager } from '../support/secrets-manager.ts'
import { startStepFunctions } from '../support/step-functions/service.ts'
import { OTHER_SECRET_ARN, SECRET_ARN } from './synthesize.ts'

export interface WorldOptions {
  /** Takes snapshots as the app's context says. @default false: takes none, because it takes time */
  readonly snapshots?: boolean
  /** Overrides of the migration function's environment. @default {} */
  readonly environment?: Readonly<Record<string, string>>
  /** Overrides of the migration function's time and memory. @default {} */
  readonly limits?: Partial<Pick<FunctionDefinition, 'timeoutSeconds' | 'memoryMb'>>
  /** An S3 endpoint in place of the working one. */
  readonly s3Endpoint?: string
  /** @default a bucket that exists */
  readonly bucket?: string
  /** @default 'good' */
  readonly secret?: 'good' | 'missing'
  /** The port that the secret names, when something stands in front of the server. @default the server's */
  readonly databasePort?: number
  /** There is another database on the server, with a secret of its own. @default false */
  readonly otherDatabase?: boolean
  /** The server is thrown away with the world, so nothing on it needs to be dropped. @default false */
  readonly disposableServer?: boolean
}

/** A region of its own: database, secret, bucket, Lambda and CloudFormation. */
export interface World {
  readonly database: TestDatabase
  /** Undefined where nobody asked for it. */
  readonly otherDatabase: TestDatabase | undefined
  readonly secrets: SecretsManager
  readonly s3: TestS3
  /** Without servers at first. */
  readonly rds: TestRds
  readonly lambda: LambdaService
  readonly cloudFormation: CloudFormation
  /** What the secret holds at first. */
  readonly credentials: Credentials
  /** A stack without resources that can deploy the project's app. */
  /** @param within - the stack that it is nested in */
  readonly createStack: (name: string, within?: Stack) => Stack
  /** Names of the functions that migrate, without those of the Provider framework. */
  readonly migrationFunctions: () => readonly string[]
  /** Everything that Lambda's log, the answers and Lockstep's tables hold, as text. */
  readonly everythingSaid: () => Promise<string>
  /** Stops it all and drops the database. */
  readonly close: () => Promise<void>
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
/** The waiter asks five times as often as it would, whether a run is done. */
const WAITER_TIME = 0.2

/** Starts all of it on a PostgreSQL server that is there. */
export async function openWorld(serverUrl: string, options: WorldOptions = {}): Promise<World> {
  const cleanups: (() => Promise<void>)[] = []
  const defer: Defer = (cleanup) => void cleanups.unshift(cleanup)
  const owner = await createOwner(serverUrl, defer)
  const database = await createOwnedDatabase(serverUrl, owner, defer)
  const otherDatabase = options.otherDatabase === true ? await createOwnedDatabase(serverUrl, owner, defer) : undefined
  const credentials = credentialsFor(database, owner, options.databasePort)
  const [secrets, s3, rds] = await Promise.all([startSecretsManager(), startS3(), startRds()])
  if (options.secret !== 'missing') secrets.put(SECRET_ARN, JSON.stringify(credentials))
  if (otherDatabase !== undefined) {
    secrets.put(OTHER_SECRET_ARN, JSON.stringify(credentialsFor(otherDatabase, owner, options.databasePort)))
  }
  await s3.createBucket(BUCKET)
  const endpoints = { SECRETS_MANAGER: secrets.endpoint, S3: options.s3Endpoint ?? s3.endpoint, RDS: rds.endpoint }
  const lambda = await startLambda(endpoints)
  const readObject = (bucket: string, key: string): Promise<string> => readText(s3, bucket, key)
  const stepFunctions = await startStepFunctions(lambda, { timeScale: WAITER_TIME, readObject })
  const cloudFormation = await startCloudFormation(lambda, { stepFunctions })
  lambda.connect({ CLOUDFORMATION: cloudFormation.endpoint, SFN: stepFunctions.endpoint })
  const stacks: Stack[] = []
  const functions = new Set<string>()
  return {
    database,
    otherDatabase,
    secrets,
    s3,
    rds,
    lambda,
    cloudFormation,
    credentials,
    createStack: (name, within) => {
      const stack = cloudFormation.createStack({
        name,
        ...(within === undefined ? {} : { within }),
        physical: physicalValues(options.bucket ?? BUCKET),
        adjust: (definition) => {
          if (isFrameworks(definition)) return definition
          functions.add(definition.name)
          return adjusted(definition, options)
        },
      })
      stacks.push(stack)
      return stack
    },
    migrationFunctions: () => [...functions],
    everythingSaid: async () => {
      const answers = stacks.map((stack) => stack.responses())
      const records = [database, ...(otherDatabase === undefined ? [] : [otherDatabase])].map(recordsOf)
      const said = await Promise.all([lambda.logs(), ...records])
      return [...said, JSON.stringify([lambda.invocations(), answers])].join('\n')
    },
    close: async () => {
      await stepFunctions.stop()
      await Promise.all([lambda.stop(), cloudFormation.stop(), secrets.stop(), s3.stop(), rds.stop()])
      if (options.disposableServer === true) return
      for (const cleanup of cleanups) await cleanup()
    },
  }
}

/** Like the master user of an RDS database: owns it and may create others, but is no superuser. */
async function createOwner(serverUrl: string, defer: Defer): Promise<Pick<Credentials, 'username' | 'password'>> {
  const id = randomUUID().replaceAll('-', '')
  const owner = { username: `owner_${id.slice(0, 12)}`, password: `canary-${id}` }
  await rowsOf(serverUrl, `CREATE ROLE ${owner.username} LOGIN CREATEDB PASSWORD '${owner.password}'`)
  defer(async () => {
    await dropDatabasesOf(serverUrl, owner.username)
    await rowsOf(serverUrl, `DROP ROLE ${owner.username}`)
  })
  return owner
}

async function createOwnedDatabase(
  serverUrl: string,
  owner: Pick<Credentials, 'username'>,
  defer: Defer,
): Promise<TestDatabase> {
  const database = await createScratchDatabase(serverUrl, defer)
  await rowsOf(serverUrl, `ALTER DATABASE ${database.name} OWNER TO ${owner.username}`)
  return database
}

/** A restore makes databases, and keeps the one that it replaces. */
async function dropDatabasesOf(serverUrl: string, owner: string): Promise<void> {
  const names = await rowsOf(
    serverUrl,
    `SELECT format('%I', datname) AS name FROM pg_database WHERE pg_get_userbyid(datdba) = '${owner}'`,
  )
  for (const { name } of names) await rowsOf(serverUrl, `DROP DATABASE ${String(name)} WITH (FORCE)`)
}

function credentialsFor(
  { name, url }: TestDatabase,
  owner: Pick<Credentials, 'username' | 'password'>,
  port: number | undefined,
): Credentials {
  const { hostname, port: serverPort } = new URL(url)
  return { engine: 'postgres', host: hostname, port: port ?? Number(serverPort), dbname: name, ...owner }
}

function physicalValues(bucket: string): PhysicalLookup {
  return ({ type }) => (type === 'AWS::S3::Bucket' ? { ref: bucket } : undefined)
}

function isFrameworks({ handler }: FunctionDefinition): boolean {
  return handler.startsWith('framework.')
}

function adjusted(definition: FunctionDefinition, options: WorldOptions): FunctionDefinition {
  const withoutSnapshots = options.snapshots === true ? {} : { [ENVIRONMENT.snapshotMode]: 'none' }
  const environment = { ...definition.environment, ...withoutSnapshots, ...options.environment }
  return { ...definition, ...options.limits, environment }
}

/** Everything that Lockstep wrote about itself into the database. */
async function recordsOf({ rows }: TestDatabase): Promise<string> {
  const tables = await rows(
    "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'lockstep'",
  )
  const contents = await Promise.all(tables.map(({ name }) => rows(`SELECT * FROM ${String(name)}`)))
  return JSON.stringify(contents)
}
