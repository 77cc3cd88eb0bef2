import { inject } from 'vitest'
import type { Connection } from '../../../lambda/engine/database.ts'
import { createScratchDatabase } from '../../support/scratch-database.ts'

/** A session on a database of its own that several tests share. */
export async function onDatabase(): Promise<{ readonly connection: Connection; readonly end: () => Promise<void> }> {
  const cleanups: (() => Promise<void>)[] = []
  const database = await createScratchDatabase(inject('serverUrl'), (cleanup) => void cleanups.push(cleanup))
  return {
    connection: await database.connect(),
    end: async () => {
      for (const cleanup of cleanups.toReversed()) await cleanup()
    },
  }
}
