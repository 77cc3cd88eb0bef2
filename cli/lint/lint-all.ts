import type { Node } from '../../lambda/engine/plan/migration-graph.ts'
import { StepError } from '../../lambda/engine/failure/failure.ts'
import { reportOf } from '../../lambda/errors.ts'
import { extensionError, missingExtension } from '../shadow/missing-extension.ts'
import { readAftermath } from './aftermath.ts'
import { readCatalog } from './catalog.ts'
import { beforeOf, type Before } from './difference.ts'
import { lintOne, readyStep, type Linted, type State } from './lint-one.ts'
import type { SquawkReport } from './squawk.ts'
import type { WatchedDatabase } from './watch.ts'

export interface LintedAll {
  readonly linted: readonly Linted[]
  readonly notes: readonly string[]
}

export interface Work {
  readonly ordered: readonly Node[]
  readonly repeatables: readonly Node[]
  /** What is to be looked at. */
  readonly chosen: ReadonlySet<Node>
  readonly squawk: SquawkReport
  readonly asOneRun: boolean
}

/** Runs the whole set as far as it is needed, and watches what is chosen. */
export async function lintAll(watched: WatchedDatabase, work: Work): Promise<LintedAll> {
  const { ordered, repeatables, chosen, squawk, asOneRun } = work
  const last = repeatables.some((node) => chosen.has(node))
    ? ordered.length - 1
    : ordered.findLastIndex((node) => chosen.has(node))
  const linted: Linted[] = []
  const notes: string[] = []
  let state: State | null = null
  let before: Before | null = null
  for (const node of ordered.slice(0, last + 1)) {
    watched.database.stepRun.signal.throwIfAborted()
    if (!chosen.has(node)) {
      notes.push(...(await applyUnwatched(watched, node)))
      state = null
      continue
    }
    state ??= await readState(watched)
    if (before === null || !asOneRun) before = beforeOf(state.catalog)
    const { result, next } = await lintOne(watched, node, { state, before, squawk })
    linted.push(result)
    state = next
  }
  const madeByRun = state !== null && before !== null && asOneRun ? without(beforeOf(state.catalog), before) : NOTHING
  const again = await lintRepeatables(watched, work, madeByRun)
  return { linted: [...linted, ...again.linted], notes: [...notes, ...again.notes] }
}

const NOTHING: Before = { relations: new Set(), schemas: new Set() }

function without(all: Before, some: Before): Before {
  return { relations: difference(all.relations, some.relations), schemas: difference(all.schemas, some.schemas) }
}

function difference(all: ReadonlySet<number>, some: ReadonlySet<number>): ReadonlySet<number> {
  return new Set([...all].filter((oid) => !some.has(oid)))
}

/**
 * Looks at repeatables as they are applied for the second time: what they do to what is there already is what others notice.
 *
 * @param madeByRun - what is nobody else's yet
 */
async function lintRepeatables(
  watched: WatchedDatabase,
  { repeatables, chosen, squawk, asOneRun }: Work,
  madeByRun: Before,
): Promise<LintedAll> {
  const wanted = repeatables.filter((node) => chosen.has(node))
  if (wanted.length === 0) return { linted: [], notes: [] }
  const notes: string[] = []
  for (const node of repeatables) {
    const failures = await applyUnwatched(watched, node)
    if (!chosen.has(node)) notes.push(...failures)
  }
  let state = await readState(watched)
  const linted: Linted[] = []
  const ofRun = without(beforeOf(state.catalog), madeByRun)
  for (const node of wanted) {
    watched.database.stepRun.signal.throwIfAborted()
    const before = asOneRun ? ofRun : beforeOf(state.catalog)
    const { result, next } = await lintOne(watched, node, { state, before, squawk })
    linted.push({ ...result, creates: [] })
    state = next
  }
  return { linted, notes }
}

/** What is not looked at need not be right; but what is looked at may need it. */
async function applyUnwatched({ database }: WatchedDatabase, node: Node): Promise<readonly string[]> {
  const { step } = readyStep(node)
  if (step === null) return [`${node.migration.file}, which comes before, cannot be run at all.`]
  try {
    await database.apply(step)
    return []
  } catch (error) {
    if (!(error instanceof StepError)) throw error
    const extension = missingExtension(error)
    const why = extension === null ? `${error.message}.` : reportOf(extensionError(extension, step.id)).remedy
    return [`${node.migration.file}, which comes before, fails where it was tried: ${why}`]
  }
}

async function readState({ database: { connection, historySchema } }: WatchedDatabase): Promise<State> {
  return {
    catalog: await readCatalog(connection, historySchema),
    aftermath: await readAftermath(connection, historySchema),
  }
}
