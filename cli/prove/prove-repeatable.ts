import type { Node } from '../../lambda/engine/plan/migration-graph.ts'
import { downStep, upStep, type Step } from '../../lambda/engine/plan/step.ts'
import type { LockstepError } from '../../lambda/errors.ts'
import { differenceBetween } from '../../lambda/engine/catalog/catalog.ts'
import type { CatalogScope } from '../catalog/read-catalog.ts'
import { extensionError, missingExtension } from '../shadow/missing-extension.ts'
import type { ShadowDatabase } from '../shadow/shadow-database.ts'
import { tidySession } from '../shadow/tidy-session.ts'
import { differenceLines } from '../../lambda/engine/catalog/difference-lines.ts'
import type { Proof } from './proof.ts'
import { brokenProof, stepOr } from './prove-one.ts'
import type { Content } from './rows.ts'
import { noteStep, readMoment, type Moment } from './trial.ts'
import { isSerious, messageOf } from './verdict.ts'

interface RepeatableProof {
  readonly proof: Proof
  /** What the database is like now. */
  readonly now: Moment
  /** The extension for want of which it could not be tried. Null: it could. */
  readonly extension: string | null
}

interface Tried {
  readonly error: unknown
  readonly now: Moment
}

/** Proves repeatables one after the other, each on what those before it have made. */
export async function proveRepeatables(
  database: ShadowDatabase,
  scope: CatalogScope,
  nodes: readonly Node[],
  finished: Moment,
): Promise<{ readonly proofs: readonly Proof[]; readonly stopped: LockstepError | null }> {
  const proofs: Proof[] = []
  let before = finished
  for (const node of nodes) {
    const { proof, now, extension } = await proveRepeatable(database, scope, node, before)
    if (extension !== null) return { proofs, stopped: extensionError(extension, node.migration.id) }
    proofs.push(proof)
    before = now
  }
  return { proofs, stopped: null }
}

/**
 * Applies a repeatable twice in a row on the finished schema: it must pass both times, and the second time change
 * nothing. A down of its own, which takes back the first text, must restore the schema.
 */
async function proveRepeatable(
  database: ShadowDatabase,
  scope: CatalogScope,
  { migration }: Node,
  before: Moment,
): Promise<RepeatableProof> {
  const { id, down } = migration
  const broken = (detail: string, now: Moment, lines: readonly string[] = []): RepeatableProof => ({
    proof: { ...brokenProof(id, detail), differences: lines },
    now,
    extension: null,
  })
  // Each text that is applied is another entry of the history.
  const version = (number: number) => ({ migration: { ...migration, id: `${id}#${number}` }, parents: [] })
  const up = stepOr(() => upStep(version(1)))
  const back = down === null ? null : stepOr(() => downStep(version(1).migration))
  if (typeof up === 'string') return broken(up, before)
  if (typeof back === 'string') return broken(back, before)
  const first = await apply(database, scope, up, before)
  const extension = missingExtension(first.error)
  if (extension !== null) return { ...broken('', before), extension }
  if (first.error !== null) return broken(`It fails on the finished schema: ${messageOf(first.error)}`, first.now)
  const lost = back === null ? null : await tryBack(database, scope, back, { before, after: first.now })
  if (lost !== null) return broken(lost.detail, first.now, lost.lines)
  const second = await apply(database, scope, upStep(version(2)), first.now)
  if (second.error !== null) return broken(`It does not apply twice in a row: ${messageOf(second.error)}`, second.now)
  const lines = [...schemaLines(first.now, second.now), ...countLines(first.now.content, second.now.content)]
  if (lines.length > 0) return broken('Applied twice in a row, it gives something else than once.', second.now, lines)
  const detail = `Applied twice in a row: the schema is the same.${back === null ? ' What it makes stays: it has no down.' : ''}`
  return { proof: { id, verdict: 'proven', detail, differences: [] }, now: second.now, extension: null }
}

async function apply(database: ShadowDatabase, scope: CatalogScope, step: Step, before: Moment): Promise<Tried> {
  await tidySession(database.connection)
  try {
    await database.apply(step)
    noteStep(database, step)
    return { error: null, now: await readMoment(database, scope, before) }
  } catch (error) {
    return { error, now: before }
  }
}

/** Runs the down and takes it back. Null: it restores the schema. */
async function tryBack(
  database: ShadowDatabase,
  scope: CatalogScope,
  step: Step,
  { before, after }: { readonly before: Moment; readonly after: Moment },
): Promise<{ readonly detail: string; readonly lines: readonly string[] } | null> {
  const { connection } = database
  await tidySession(connection)
  await connection.execute('BEGIN')
  try {
    await database.applyWithin(step)
    noteStep(database, step)
    const reverted = await readMoment(database, scope, before, after)
    const lines = schemaLines(before, reverted)
    return lines.length === 0 ? null : { detail: 'Its down does not restore the schema.', lines }
  } catch (error) {
    return { detail: `Its down fails: ${messageOf(error)}`, lines: [] }
  } finally {
    if (connection.isOpen()) await connection.execute('ROLLBACK')
  }
}

function schemaLines(before: Moment, after: Moment): readonly string[] {
  return differenceLines(differenceBetween(before.schema.catalog, after.schema.catalog).filter(isSerious))
}

function countLines(once: Content, twice: Content): readonly string[] {
  return [...new Set([...once.keys(), ...twice.keys()])].toSorted().flatMap((table) => {
    const [left, right] = [once.get(table)?.rows ?? 0, twice.get(table)?.rows ?? 0]
    return left === right ? [] : [`${right < left ? '-' : '+'} rows of ${table}: ${left}, and then ${right}`]
  })
}
