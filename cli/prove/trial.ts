import { forgetPrepared, readCatalog, type CatalogScope, type CatalogState } from '../catalog/read-catalog.ts'
import type { Step } from '../../lambda/engine/plan/step.ts'
import type { ShadowDatabase } from '../shadow/shadow-database.ts'
import { tidySession } from '../shadow/tidy-session.ts'
import { readContent, type Content } from './rows.ts'
import { readSequences, type SequenceValues } from './sequences.ts'

/** A database at one instant: its schema, its rows, and where its sequences stand. */
export interface Moment {
  readonly schema: CatalogState
  readonly content: Content
  readonly sequences: SequenceValues
}

/** What down and up again came to. */
export type Trial =
  | { readonly kind: 'done'; readonly afterDown: Moment; readonly afterUp: Moment }
  | { readonly kind: 'down-failed'; readonly error: unknown }
  | { readonly kind: 'up-failed'; readonly error: unknown; readonly afterDown: Moment }

export interface Steps {
  readonly up: Step
  readonly down: Step
}

/** The two moments before: what should be there again after the down, and after the up again. */
export interface Before {
  readonly beforeUp: Moment
  readonly afterUp: Moment
  /** Whether rows were put in after the up: then those of before are no measure. @default false */
  readonly isSown?: boolean
}

/**
 * Reads what there is now.
 *
 * @param nearest - a moment whose schema differs little
 * @param start - the moment at which the open transaction began. Null: there is none
 */
export async function readMoment(
  { connection, historySchema }: ShadowDatabase,
  scope: CatalogScope,
  nearest: Moment | null,
  start: Moment | null = null,
): Promise<Moment> {
  const schema = await readCatalog(connection, scope, nearest?.schema ?? null)
  const sequences = await readSequences(connection, historySchema)
  if (start === null) return { schema, sequences, content: await readContent(connection, historySchema, null) }
  const isTheSame = (id: string): boolean => schema.stamps.get(id) === start.schema.stamps.get(id)
  const content = await readContent(connection, historySchema, { content: start.content, isTheSame })
  return { schema, sequences, content }
}

/**
 * Runs the down and the up again in one transaction, as a run does that reverts and another that applies, and takes all
 * of it back: the database is then as it was after the first up.
 */
export async function tryInTransaction(
  database: ShadowDatabase,
  scope: CatalogScope,
  { up, down }: Steps,
  { beforeUp, afterUp }: Before,
): Promise<Trial> {
  const { connection } = database
  await connection.execute('BEGIN')
  try {
    await tidySession(connection)
    const downError = await failureOf(database, down)
    if (downError !== null) return { kind: 'down-failed', error: downError.error }
    const reverted = await readMoment(database, scope, beforeUp, afterUp)
    await tidySession(connection)
    const upError = await failureOf(database, up)
    if (upError !== null) return { kind: 'up-failed', error: upError.error, afterDown: reverted }
    return { kind: 'done', afterDown: reverted, afterUp: await readMoment(database, scope, afterUp, afterUp) }
  } finally {
    if (connection.isOpen()) await connection.execute('ROLLBACK')
  }
}

/** Runs the down and the up again, each committed. The database stays as they leave it. */
export async function tryCommitted(
  database: ShadowDatabase,
  scope: CatalogScope,
  { up, down }: Steps,
  { beforeUp, afterUp }: Before,
): Promise<Trial> {
  await tidySession(database.connection)
  try {
    await database.apply(down)
    noteStep(database, down)
  } catch (error) {
    return { kind: 'down-failed', error }
  }
  const reverted = await readMoment(database, scope, beforeUp)
  await tidySession(database.connection)
  try {
    await database.apply(up)
    noteStep(database, up)
  } catch (error) {
    return { kind: 'up-failed', error, afterDown: reverted }
  }
  return { kind: 'done', afterDown: reverted, afterUp: await readMoment(database, scope, afterUp) }
}

/**
 * What a step may have thrown away is prepared again before the next reading, and what it has prepared itself is thrown
 * away: the next run works in a session of its own.
 */
export function noteStep({ connection }: ShadowDatabase, { kind, migration }: Step): void {
  if (kind === 'ts' || /\b(?:discard|deallocate|prepare)\b/i.test(migration.source)) forgetPrepared(connection)
}

async function failureOf(database: ShadowDatabase, step: Step): Promise<{ readonly error: unknown } | null> {
  try {
    await database.applyWithin(step)
    noteStep(database, step)
    return null
  } catch (error) {
    return { error }
  }
}
