import { expect, test } from 'vitest'
import { dropCopy } from '../../../lambda/snapshot/staging.ts'
import { renameAll } from '../../../lambda/snapshot/swap.ts'
import { createDatabase, databaseAt, onServer, type TestDatabase } from '../../support/database.ts'
import { until } from '../../support/wait.ts'
import { contextFor, directoryStore, dropLater } from './support.ts'

const LOCK = 'SELECT pg_try_advisory_lock(7) AS locked'

/** Asks for the lock again and again, on a new session when one is ended. Gives whether it got it, in a given database. */
function waitFor(database: TestDatabase, attempts: string[], finished: AbortSignal): Promise<void> {
  const own = '(SELECT oid::text FROM pg_database WHERE datname = current_database()) AS oid'
  const ask = async (): Promise<void> => {
    while (!finished.aborted) {
      try {
        const session = await database.connect()
        while (!finished.aborted) {
          const row = (await session.query(`${LOCK}, ${own}`)).rows[0]
          if (row?.locked === true) return void attempts.push(String(row.oid))
        }
      } catch {
        // Ended, or kept out: the next one.
      }
    }
  }
  return ask()
}

test('a lock never falls to a session that waited for it in the database that is replaced', async () => {
  const database = await createDatabase()
  const copy = `${database.name}_copy`
  await onServer(`CREATE DATABASE ${copy} TEMPLATE template0`)
  const kept = dropLater(`${database.name}_old`)
  const [old] = await database.rows('SELECT oid::text FROM pg_database WHERE datname = current_database()')
  const holder = await database.connect()
  await holder.query(LOCK)
  const got: string[] = []
  const finished = new AbortController()
  const waiting = Array.from({ length: 12 }, () => waitFor(database, got, finished.signal))
  const { openClient } = contextFor(databaseAt('postgres'), await directoryStore())
  const [client, usher] = [await openClient(), await openClient()]

  await renameAll(client, usher, [
    { from: database.name, to: kept },
    { from: copy, to: database.name },
  ])
  await Promise.all([client.end(), usher.end()])
  await until(async () => got.length > 0)
  finished.abort()
  await Promise.all(waiting)

  expect(holder.isOpen()).toBe(false)
  expect(got).not.toContain(old?.oid)
  expect(got.length).toBeGreaterThan(0)
})

test('a session that is kept at the door finds the database that has the name then', async () => {
  const database = await createDatabase()
  const copy = `${database.name}_copy`
  await onServer(`CREATE DATABASE ${copy} TEMPLATE template0`)
  await databaseAt(copy).rows('CREATE TABLE of_the_copy ()')
  const kept = dropLater(`${database.name}_old`)
  const renaming = await databaseAt('postgres').connect()
  await renaming.execute(`BEGIN; ALTER DATABASE ${database.name} RENAME TO ${kept};
    ALTER DATABASE ${copy} RENAME TO ${database.name}`)
  const entering = database.connect('at the door')
  await until(
    async () =>
      (
        await databaseAt('postgres').rows(
          "SELECT FROM pg_locks WHERE NOT granted AND classid = 'pg_database'::regclass",
        )
      ).length > 0,
  )
  await renaming.execute('COMMIT')
  const session = await entering
  expect((await session.query("SELECT to_regclass('of_the_copy')::text AS name")).rows).toEqual([
    { name: 'of_the_copy' },
  ])
})

test('a copy whose rename comes through after all is told to have the name, and stays', async () => {
  const database = await createDatabase()
  const name = dropLater(`${database.name}_restoring_20260101000000`)
  const target = dropLater(`${database.name}_new`)
  await onServer(`CREATE DATABASE ${name} TEMPLATE template0`)
  const server = databaseAt('postgres')
  const [row] = await server.rows(`SELECT oid::text FROM pg_database WHERE datname = '${name}'`)
  const renaming = await server.connect()
  await renaming.execute(`BEGIN; ALTER DATABASE ${name} RENAME TO ${target}`)
  const { openClient } = contextFor(server, await directoryStore())
  const client = await openClient()

  const dropping = dropCopy(client, openClient, { oid: String(row?.['oid']), name, target })
  await until(
    async () =>
      (
        await server.rows(
          `SELECT FROM pg_stat_activity WHERE query LIKE 'DROP DATABASE%${name}%' AND wait_event_type = 'Lock'`,
        )
      ).length > 0,
  )
  await renaming.execute('COMMIT')

  expect(await dropping).toBe(target)
  await client.end()
  expect(await databaseAt(target).rows('SELECT 1 AS n')).toEqual([{ n: 1 }])
})
