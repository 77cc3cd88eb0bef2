import type pg from 'pg'
import type { SnapshotObject } from './manifest.ts'
import { writeText } from './object-transfer.ts'
import { createPgDumpMemory } from './pg-dump-memory.ts'
import { dumpSchema } from './pg-dump.ts'
import { prepareSession, socketOf } from './session.ts'
import type { SnapshotStore } from './store.ts'

/**
 * Writes `pre-data.sql` and `post-data.sql`, on the session that holds the view: it has locked the tables already, and
 * pg_dump locks them, too. On a session of its own it would wait behind whoever waits to change a table, and that one
 * waits for this snapshot.
 */
export async function writeSchema({
  client,
  store,
  prefix,
}: {
  readonly client: pg.Client
  readonly store: SnapshotStore
  readonly prefix: string
}): Promise<readonly SnapshotObject[]> {
  const objects: SnapshotObject[] = []
  const memory = createPgDumpMemory()
  for (const section of ['pre-data', 'post-data'] as const) {
    const sql = await lend(client, () => dumpSchema(client, section, null, [], memory))
    // It leaves its prepared statements and its settings.
    await client.query('DEALLOCATE ALL')
    await prepareSession(client)
    objects.push(await writeText(store, { prefix, key: `${section}.sql` }, sql))
  }
  return objects
}

/** Gives the session back to the driver when `work`, which reads its socket, is done. */
async function lend<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  const socket = socketOf(client)
  const driver = socket.listeners('data') as ((chunk: Buffer) => void)[]
  const result = await work()
  for (const listener of driver) socket.on('data', listener)
  return result
}
