import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { binaries } from '../../cli/embedded-binaries.ts'
import { startEmbeddedPostgres } from '../../cli/embedded-postgres.ts'

/** The majors that Lockstep works with. */
export const MAJORS: readonly number[] = [14, 15, 16, 17, 18]

/** Why there is no server of that major on this machine; null when there is one. */
export async function whyNoServer(major: number): Promise<string | null> {
  return binaries(major).then(
    () => null,
    (error: unknown) => String(error),
  )
}

/** A server of that major, with nothing in it; `stop` also removes it. */
export async function startServerOf(
  major: number,
): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), `lockstep-test-server-${major}-`))
  const server = await startEmbeddedPostgres({ directory, major, unsafe: true })
  return {
    url: server.url,
    stop: async () => {
      await server.stop({ abort: true })
      await rm(directory, { recursive: true, force: true })
    },
  }
}
