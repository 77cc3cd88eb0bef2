import type { ChaosServer } from './chaos-server.ts'
import { emptyDatabase } from './empty-database.ts'
import { fingerprint } from './fingerprint.ts'
import type { GeneratedMigration, Piece } from './migration-set.ts'

/** A state that a set of migrations passes through. */
export interface Place {
  /** How many migrations are applied as a whole. */
  readonly applied: number
  /** How many statements of the next one are done. */
  readonly done: number
  /** How many statements of the last applied one's down are done. */
  readonly undone: number
}

/** Fingerprints of a set's places, from a database to which exactly those statements were applied, without Lockstep. */
export interface Reference {
  readonly at: (place: Place) => Promise<readonly string[]>
}

/** The database in which places are made. One for all rounds, because making one takes longer than a round's statements. */
const DATABASE = 'reference'

export function openReference(server: ChaosServer, set: readonly GeneratedMigration[]): Reference {
  const known = new Map<string, Promise<readonly string[]>>()
  /** How many migrations the database has come to; null when it has to begin anew. */
  let applied: number | null = null
  const visit = async (place: Place): Promise<readonly string[]> => {
    if (applied === null || applied > place.applied) await emptyDatabase(server, DATABASE)
    const from: number = applied === null || applied > place.applied ? 0 : applied
    for (const migration of set.slice(from, place.applied)) await perform(server, migration.up)
    await perform(server, set[place.applied]?.up.slice(0, place.done) ?? [])
    await perform(server, set[place.applied - 1]?.down.slice(0, place.undone) ?? [])
    // A part of a migration is never built upon.
    applied = place.done + place.undone > 0 ? null : place.applied
    return fingerprint(server, DATABASE)
  }
  return {
    at: (place) => {
      const key = JSON.stringify(place)
      const found = known.get(key) ?? visit(place)
      known.set(key, found)
      return found
    },
  }
}

/** In few messages, because only the end counts; and as if in a session of its own. */
async function perform(server: ChaosServer, pieces: readonly Piece[]): Promise<void> {
  const due = pieces.filter(({ isSleep }) => !isSleep)
  if (due.length === 0) return
  const isSimple = due.every(({ alone, sql }) => !alone && !sql.startsWith('SET TRANSACTION'))
  if (isSimple) await server.query(DATABASE, due.map(({ sql }) => sql).join(';\n'))
  else for (const { sql } of due) await server.query(DATABASE, sql)
  await server.query(DATABASE, 'RESET ALL')
}
