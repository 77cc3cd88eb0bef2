import { inject, onTestFinished } from 'vitest'
import { createScratchDatabase, rowsOf, scratchDatabaseAt, type TestDatabase } from './scratch-database.ts'

export type { TestDatabase } from './scratch-database.ts'

/** Makes an empty database on the suite's server; it is dropped when the test has finished. */
export function createDatabase(): Promise<TestDatabase> {
  return createScratchDatabase(inject('serverUrl'), onTestFinished)
}

/** The handle of a database that exists already, such as one that a restore made. */
export function databaseAt(name: string): TestDatabase {
  return scratchDatabaseAt(inject('serverUrl'), name, onTestFinished)
}

/** Runs SQL on the server's own database. */
export async function onServer(sql: string): Promise<void> {
  await rowsOf(inject('serverUrl'), sql)
}
