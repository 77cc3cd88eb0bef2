import { randomUUID } from 'node:crypto'
import { finished } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { snapshotMachineDefinition } from '../../../../infra/snapshot-machine-definition.ts'
import { systemClock } from '../../../../lambda/adapters/clock.ts'
import { createS3Store } from '../../../../lambda/adapters/s3-store.ts'
import type { Clock } from '../../../../lambda/clock.ts'
import type { SnapshotResult } from '../../../../lambda/contract.ts'
import { LockstepError } from '../../../../lambda/errors.ts'
import { doSnapshotWork } from '../../../../lambda/snapshot-work.ts'
import type { SnapshotWorkEvent } from '../../../../lambda/snapshot-work-event.ts'
import type { DistributedContext } from '../../../../lambda/snapshot/distributed/distributed-context.ts'
import { takeDistributedSnapshot } from '../../../../lambda/snapshot/distributed/distributed-snapshot.ts'
import type { Execution, Executions } from '../../../../lambda/snapshot/distributed/executions.ts'
import { Fault } from '../../../../lambda/snapshot/fault.ts'
import { restoreSnapshot } from '../../../../lambda/snapshot/restore.ts'
import { WHOLE_DATABASE } from '../../../../lambda/snapshot/scope.ts'
import type { SnapshotStore } from '../../../../lambda/snapshot/store.ts'
import { arn } from '../../../support/aws.ts'
import { createDatabase, databaseAt, type TestDatabase } from '../../../support/database.ts'
import { lockstepFor } from '../../../support/lockstep.ts'
import { readText, startS3, type TestS3 } from '../../../support/s3.ts'
import { parseDefinition } from '../../../support/step-functions/definition.ts'
import { execute, type TaskResult } from '../../../support/step-functions/execution.ts'
import { contentOf, contextFor, dropLater, type Content } from '../support.ts'

const BUCKET = 'snapshots'
/** The share of a pause that is waited: of who takes the snapshot, and the machine; and of who holds the view. */
const TIME_SCALE = { run: 0.1, holders: 0.5 } as const

/** What happens before an invocation of the function. What it throws is the invocation's failure. */
type Before = (event: SnapshotWorkEvent) => Promise<void>

export interface Stage {
  readonly database: TestDatabase
  readonly store: SnapshotStore
  /** Every invocation of the function, oldest first. */
  readonly events: readonly SnapshotWorkEvent[]
  /** Takes a snapshot, or goes on with that of the same run. */
  readonly take: (more?: Partial<DistributedContext>, runId?: string) => Promise<SnapshotResult>
  /** Invokes the function as the state machine does. */
  readonly invoke: (event: SnapshotWorkEvent) => Promise<TaskResult>
  /** Waits until nothing of it runs any more. */
  readonly settled: () => Promise<void>
}

export interface StageOptions {
  readonly before?: Before
  /** Once the state machine was started. */
  readonly afterStart?: (database: TestDatabase) => Promise<void>
  /** How long an invocation may take. @default 60 s */
  readonly invocationMs?: number
  /** An object that the function cannot write. */
  readonly refuses?: string
}

/** Tables of a megabyte each, each an item of work, and one that is larger. */
const FILL = Array.from({ length: 4 }, (_, index) => index + 1)
  .map(
    (number) =>
      `CREATE TABLE part_${number} (id int PRIMARY KEY, note text);
       INSERT INTO part_${number} SELECT n, repeat(md5(n::text), 12) FROM generate_series(1, 2800) AS n;`,
  )
  .join('\n')

/** A database, an S3 store, the function's code, and the synthesized state machine, all but the last of them real. */
export async function stage(
  s3: TestS3,
  { before, afterStart, invocationMs = 60_000, refuses }: StageOptions = {},
): Promise<Stage> {
  const database = await createDatabase()
  await database.rows(`${FILL}
    CREATE TABLE large (id int, note text);
    INSERT INTO large SELECT n, repeat(md5(n::text), 30) FROM generate_series(1, 5500) AS n;
    CREATE TABLE nothing (id int);
    SELECT lo_from_bytea(0, 'an object');`)
  const prefix = `distributed/${database.name}`
  const store = createS3Store({ client: s3.client, bucket: BUCKET, prefix })
  const events: SnapshotWorkEvent[] = []
  const running = new Set<Promise<unknown>>()
  const callFunction = async (event: SnapshotWorkEvent): Promise<TaskResult> => {
    events.push(event)
    const ofFunction = refuses === undefined ? store : refusing(store, refuses)
    const invoked = invoke(database, ofFunction, event, { before, invocationMs })
    running.add(invoked)
    return invoked.finally(() => running.delete(invoked))
  }
  const executions = executionsOf(s3, callFunction, running, () => afterStart?.(database))
  return {
    database,
    store,
    events,
    invoke: callFunction,
    take: async (more = {}, runId = 'run-1') => {
      const end = Date.now() + invocationMs
      const context: DistributedContext = {
        ...contextFor(database, store),
        clock: clockOf(TIME_SCALE.run),
        remainingMs: () => end - Date.now(),
        shouldPause: () => false,
        executions,
        ...more,
      }
      return takeDistributedSnapshot(context, { runId, selection: WHOLE_DATABASE })
    },
    settled: async () => void (await Promise.allSettled(running)),
  }
}

function refusing(store: SnapshotStore, key: string): SnapshotStore {
  const write: SnapshotStore['write'] = async (wanted, body) => {
    if (!wanted.includes(key)) return store.write(wanted, body)
    await finished(body.resume())
    throw new Fault(`cannot write ${key}: access denied.`, 'Allow s3:PutObject.')
  }
  return { ...store, write }
}

function clockOf(scale: number): Clock {
  return { ...systemClock, sleep: (milliseconds) => delay(milliseconds * scale) }
}

async function invoke(
  database: TestDatabase,
  store: SnapshotStore,
  event: SnapshotWorkEvent,
  { before, invocationMs }: { readonly before: Before | undefined; readonly invocationMs: number },
): Promise<TaskResult> {
  try {
    await before?.(event)
    const end = Date.now() + invocationMs
    const signal = AbortSignal.timeout(invocationMs)
    const lockstep = {
      ...lockstepFor(database.url, ''),
      snapshots: () => contextFor(database, store, { signal }),
      clock: clockOf(TIME_SCALE.holders),
      remainingMs: () => end - Date.now(),
      signal,
    }
    return { ok: true, output: await doSnapshotWork(lockstep, event) }
  } catch (error) {
    const code = error instanceof LockstepError ? error.code : 'Error'
    return { ok: false, error: code, cause: String(error) }
  }
}

/** Step Functions, with the definition that is synthesized. */
function executionsOf(
  s3: TestS3,
  callFunction: (event: SnapshotWorkEvent) => Promise<TaskResult>,
  running: Set<Promise<unknown>>,
  afterStart: () => Promise<void> | undefined,
): Executions {
  const functionArn = arn('lambda', 'function:copies')
  const definition = snapshotMachineDefinition({ functionArn, bucketName: BUCKET, concurrency: 3 })
  const machine = parseDefinition(JSON.stringify(definition))
  const known = new Map<string, Execution>()
  const stops = new Map<string, AbortController>()
  return {
    start: async (name, input) => {
      if (known.has(name)) return
      const stop = new AbortController()
      known.set(name, { status: 'running', input, cause: null })
      stops.set(name, stop)
      const run = execute(machine, JSON.parse(input), {
        callFunction: async (_, given) => callFunction(given as SnapshotWorkEvent),
        sleep: (seconds) => delay(seconds * 1000 * TIME_SCALE.run),
        readObject: (bucket, key) => readText(s3, bucket, key),
        signal: stop.signal,
      }).then((result) => {
        const status = result.ok ? 'succeeded' : 'failed'
        known.set(name, { status, input, cause: result.ok ? null : `${result.error}: ${result.cause}` })
      })
      running.add(run)
      void run.finally(() => running.delete(run))
      await afterStart()
    },
    find: async (name) => known.get(name) ?? null,
    stop: async (name) => stops.get(name)?.abort(),
  }
}

/** An S3 server with the bucket, for all tests of a file. */
export async function startBucket(): Promise<TestS3> {
  const s3 = await startS3()
  await s3.createBucket(BUCKET)
  return s3
}

/** What the snapshot restores to, by the ordinary way. */
export async function restored({ database, store }: Stage, uri: string): Promise<Content> {
  const into = dropLater(`restored_${randomUUID().slice(0, 8)}`)
  await restoreSnapshot(contextFor(database, store), { uri, into })
  return contentOf(databaseAt(into))
}
