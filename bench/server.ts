import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../cli/embedded-postgres.ts'

/** Runs `work` on a fresh server with PostgreSQL's own defaults (durable), and a scratch directory. */
export async function withServer<T>(work: (url: URL, directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-bench-'))
  const server = await startEmbeddedPostgres({ directory: join(directory, 'server') })
  try {
    return await work(new URL(server.url), directory)
  } finally {
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

/** The server's URL for another database. */
export function databaseUrl(server: URL, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}
