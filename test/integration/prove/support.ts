import { inject } from 'vitest'
import { prove, type Proofs } from '../../../cli/prove/prove.ts'
import { parseSeed } from '../../../cli/prove/seed.ts'
import { startShadow } from '../../../cli/shadow/shadow.ts'
import { buildGraph } from '../../../lambda/engine/plan/migration-graph.ts'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import { loadParser } from '../../../lambda/engine/migration/statements.ts'
import { sql } from '../../support/engine.ts'
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

export const USERS = sql('1', 'CREATE TABLE users (id int PRIMARY KEY, name text, age int)', 'DROP TABLE users')

export async function proofsOf(
  migrations: readonly Migration[],
  options: {
    readonly seed?: string
    readonly isWanted?: (id: string) => boolean
    /** Tried on a server of its own, whose roles count as well. */
    readonly isOwn?: boolean
  } = {},
): Promise<Proofs> {
  await loadParser()
  const graph = buildGraph(migrations)
  const shadow = await startShadow(migrations, options.isOwn === true ? {} : { url: inject('serverUrl') })
  try {
    const seed = parseSeed(options.seed ?? '', new Set(graph.byId.keys()))
    return await prove(shadow, { graph, seed, isWanted: options.isWanted ?? (() => true) })
  } finally {
    await shadow.stop()
  }
}

/** `id verdict` of each, with what differs. */
export function told({ proofs }: Proofs): readonly string[] {
  return proofs.flatMap(({ id, verdict, differences }) => [`${id} ${verdict}`, ...differences])
}
