import { RDSClient } from '@aws-sdk/client-rds'
import { onTestFinished } from 'vitest'
import { createRdsStorage, type RdsDatabase } from '../../../lambda/adapters/rds.ts'
import type { Clock } from '../../../lambda/clock.ts'
import { silentLog } from '../../../lambda/log.ts'
import type { StorageService } from '../../../lambda/snapshot/storage-service.ts'
import type { StorageContext } from '../../../lambda/snapshot/storage-snapshot.ts'
import { AWS } from '../../support/aws.ts'
import { startRds, type TestRds } from '../../support/rds.ts'

/** An RDS of the test's own. */
export async function rdsForTest(): Promise<TestRds> {
  const rds = await startRds()
  onTestFinished(() => rds.stop())
  return rds
}

export function storageFor(rds: TestRds, database: RdsDatabase): StorageService {
  const client = new RDSClient({
    endpoint: rds.endpoint,
    region: AWS.region,
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestHandler: { requestTimeout: 300, throwOnRequestTimeout: true },
  })
  onTestFinished(() => client.destroy())
  return createRdsStorage(client, database)
}

export const INSTANCE = { kind: 'instance', identifier: 'shop' } as const
export const OWNER = { prefix: 'lockstep-shop-00000000-', set: 'default', stack: 'Shop' } as const

/** A clock that sleeps in no time, and says how long it would have. */
export function quickClock(): { readonly clock: Clock; readonly passedMs: () => number } {
  let passed = 0
  const clock: Clock = {
    now: () => new Date(passed),
    monotonic: () => passed,
    sleep: async (milliseconds) => void (passed += milliseconds),
  }
  return { clock, passedMs: () => passed }
}

/** What takes snapshots of the one instance, in an invocation that has a quarter of an hour. */
export function contextFor(rds: TestRds, overrides: Partial<StorageContext> = {}): StorageContext {
  const { clock, passedMs } = quickClock()
  return {
    service: storageFor(rds, INSTANCE),
    owner: OWNER,
    keepLast: 5,
    clock,
    log: silentLog,
    remainingMs: () => 900_000 - passedMs(),
    shouldPause: () => false,
    ...overrides,
  }
}
