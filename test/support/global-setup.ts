import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startEmbeddedPostgres } from '../../cli/embedded-postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    serverUrl: string
  }
}

/**
 * DROP DATABASE waits for every session of the server, also for one whose client does not log in or does not read: a test
 * that leaves such a client behind holds up the others no longer than this.
 */
const FORGIVING = { authentication_timeout: '5s', tcp_user_timeout: '5000' } as const

/** One real PostgreSQL server for the whole suite; every test makes its own database on it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-test-server-'))
  const server = await startEmbeddedPostgres({
    directory,
    unsafe: true,
    settings: { max_connections: '300', deadlock_timeout: '200ms', ...FORGIVING },
  })
  project.provide('serverUrl', server.url)
  return async () => {
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  }
}
