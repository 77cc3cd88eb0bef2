import { cp, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openEmbeddedDatabase } from '../embedded-database.ts'
import type { EmbeddedPostgres } from '../embedded-postgres.ts'
import { isAlive } from '../embedded-users.ts'
import { LOCAL_DIRECTORY } from '../settings.ts'

const PROJECT = join(import.meta.dirname, '..', '..')
const DEMOS = join(PROJECT, LOCAL_DIRECTORY, 'demo')
const FAILING = '20260216090000_add_loyalty_points.sql'

/** A fresh server, a snapshot directory, and two versions of the set of migrations. */
export interface Workspace {
  readonly database: EmbeddedPostgres
  readonly snapshots: string
  /** The example set. */
  readonly migrations: string
  /** The same, and one more that fails. */
  readonly withFailure: string
  /** Stops the server and removes it; the snapshots stay to be looked at. */
  readonly close: () => Promise<void>
}

/** Makes a workspace of this process's own, and removes what earlier demonstrations left. */
export async function openWorkspace(): Promise<Workspace> {
  await removeEarlier()
  const directory = join(DEMOS, String(process.pid))
  const [migrations, withFailure] = [join(PROJECT, 'migrations'), join(directory, 'migrations')]
  await cp(migrations, withFailure, { recursive: true })
  await cp(join(import.meta.dirname, FAILING), join(withFailure, FAILING))
  const server = join(directory, 'server')
  const database = await openEmbeddedDatabase(server, { database: 'shop', unsafe: true })
  const close = async (): Promise<void> => {
    await database.stop({ abort: true })
    await rm(server, { recursive: true, force: true })
  }
  return { database, snapshots: join(directory, 'snapshots'), migrations, withFailure, close }
}

async function removeEarlier(): Promise<void> {
  await mkdir(DEMOS, { recursive: true })
  const ended = (await readdir(DEMOS)).filter((name) => !isAlive(Number(name)))
  await Promise.all(ended.map((name) => rm(join(DEMOS, name), { recursive: true, force: true })))
}
