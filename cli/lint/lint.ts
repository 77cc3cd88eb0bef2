import type { Hazard, RelationLock } from '../../lambda/analysis-contract.ts'
import type { MigrationGraph, Node } from '../../lambda/engine/migration-graph.ts'
import type { Migration } from '../../lambda/engine/migration.ts'
import { loadParser } from '../../lambda/engine/statements.ts'
import { upStep, type Step } from '../../lambda/engine/step.ts'
import { StepError } from '../../lambda/engine/failure.ts'
import { LockstepError, reportOf } from '../../lambda/errors.ts'
import { extensionError, missingExtension } from '../shadow/missing-extension.ts'
import { startShadow } from '../shadow/shadow.ts'
import { readAftermath, type Aftermath } from './aftermath.ts'
import { readCatalog, type Catalog } from './catalog.ts'
import { beforeOf, type Before } from './difference.ts'
import { judge, notObserved } from './judge/judge.ts'
import { withSquawk } from './merge-squawk.ts'
import { locksOf } from './locks.ts'
import { nameOf } from './observation.ts'
import { observeStep, type ObservedStep } from './observe.ts'
import { runSquawk, type SquawkReport } from './squawk.ts'
import { openWatchedDatabase, type WatchedDatabase } from './watch.ts'

export interface LintOptions {
  /**
   * The migrations that one run would apply, in the state that the others leave. Null: each migration is a run of its own,
   * on what those before it have made.
   */
  readonly pending: ReadonlySet<string> | null
  /** Look at this migration alone. @default all */
  readonly only?: string | undefined
  /** Major version of the embedded server. @default 18 */
  readonly major?: number | undefined
  /** A scratch server to try them on. @default an embedded one */
  readonly shadowUrl?: string | null | undefined
  /** In which timestamps are converted. @default that of the server */
  readonly timeZone?: string | undefined
  /** Schema of Lockstep's own tables. @default 'lockstep' */
  readonly historySchema?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** What was found of one migration. */
export interface Linted {
  readonly migration: Migration
  readonly hazards: readonly Hazard[]
  /** Tables and views that it makes: in the same run, what happens to them matters to nobody. */
  readonly creates: readonly string[]
  /** What it locks of what was there before. */
  readonly locks: readonly RelationLock[]
  /** Whether it ran to its end where it was tried. */
  readonly observed: boolean
}

export interface LintReport {
  readonly linted: readonly Linted[]
  /** Whether squawk's rules were among those looked for. */
  readonly hasRules: boolean
  readonly notes: readonly string[]
}

/**
 * Runs migrations on a throw-away server and says what each of their statements did.
 *
 * @throws LockstepError `DATABASE_UNREACHABLE`, `CONFIG_INVALID`.
 */
export async function lintMigrations(graph: MigrationGraph, options: LintOptions): Promise<LintReport> {
  await loadParser()
  const { ordered } = graph
  const chosen = chosenOf(ordered, options)
  const shadow = await startShadow(
    ordered.map(({ migration }) => migration),
    { major: options.major, url: options.shadowUrl },
  )
  try {
    const sql = chosen.flatMap(({ migration }) => (migration.kind === 'sql' ? [migration] : []))
    const squawk = await runSquawk(sql, shadow.server.major)
    const watched = await openWatchedDatabase(shadow.server, options)
    const { linted, notes } = await lintAll(watched, { ordered, chosen, squawk, asOneRun: options.pending !== null })
    await watched.database.close()
    const hasRules = squawk.absent === null
    return { linted, hasRules, notes: [...notes, ...(squawk.absent === null ? [] : [squawk.absent])] }
  } finally {
    await shadow.stop()
  }
}

function chosenOf(ordered: readonly Node[], { pending, only }: LintOptions): readonly Node[] {
  return ordered
    .filter(({ migration }) => pending === null || pending.has(migration.id))
    .filter(({ migration }) => only === undefined || migration.id === only)
}

interface Work {
  readonly ordered: readonly Node[]
  readonly chosen: readonly Node[]
  readonly squawk: SquawkReport
  readonly asOneRun: boolean
}

interface State {
  readonly catalog: Catalog
  readonly aftermath: Aftermath
}

async function lintAll(
  watched: WatchedDatabase,
  { ordered, chosen, squawk, asOneRun }: Work,
): Promise<Pick<LintReport, 'linted' | 'notes'>> {
  const wanted = new Set(chosen)
  const last = ordered.findLastIndex((node) => wanted.has(node))
  const linted: Linted[] = []
  const notes: string[] = []
  let state: State | null = null
  let before: Before | null = null
  for (const node of ordered.slice(0, last + 1)) {
    watched.database.stepRun.signal.throwIfAborted()
    if (!wanted.has(node)) {
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

async function lintOne(
  watched: WatchedDatabase,
  node: Node,
  found: { readonly state: State; readonly before: Before; readonly squawk: SquawkReport },
): Promise<{ readonly result: Linted; readonly next: State }> {
  const { migration } = node
  const { state, before, squawk } = found
  const { step, hazard } = readyStep(node)
  const own = hazard === null ? [] : [hazard]
  if (step === null) {
    return { result: { migration, hazards: together(own, null), creates: [], locks: [], observed: false }, next: state }
  }
  const observed = await observeStep(watched, step, { catalog: state.catalog, before })
  const result = {
    migration,
    hazards: together([...own, ...judge(observed, state.aftermath)], observed),
    creates: createdBy(observed, state.catalog),
    locks: locksOf(observed),
    observed: observed.failure === null && hazard === null,
  }
  return { result, next: observed }

  function together(hazards: readonly Hazard[], run: ObservedStep | null): readonly Hazard[] {
    const findings = squawk.findings.get(migration.id) ?? []
    const all = withSquawk(hazards, findings, {
      observed: run !== null && run.failure === null,
      lineAfter: lineAfterOf(run),
    })
    return all.toSorted((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity) || (a.id < b.id ? -1 : 1))
  }
}

/**
 * A file that cannot be run as it declares is a finding as well, and not the end of it: what comes after it may need what it
 * makes, so it runs statement by statement, as it would in psql.
 */
function readyStep(node: Node): { readonly step: Step | null; readonly hazard: Hazard | null } {
  try {
    return { step: upStep(node), hazard: null }
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error
    const { message, line = null } = reportOf(error)
    return { step: stepOutside(node), hazard: notObserved(line, message) }
  }
}

function stepOutside({ migration, parents }: Node): Step | null {
  if (migration.kind === 'ts') return null
  try {
    return upStep({ migration: { ...migration, up: { ...migration.up, transactional: false } }, parents })
  } catch {
    return null
  }
}

/** The line on which the statement behind the one of this line begins. */
function lineAfterOf(run: ObservedStep | null): (line: number) => number {
  if (run === null || run.step.kind === 'ts') return () => Infinity
  const starts = run.step.statements.map(
    ({ block, offset }) => block.line + block.text.slice(0, offset).split('\n').length - 1,
  )
  return (line) => starts.find((start) => start > line) ?? Infinity
}

/** What replaces one of the same name is no new one: for the database it is the old one until then. */
function createdBy({ catalog }: ObservedStep, before: Catalog): readonly string[] {
  const kinds = new Set(['table', 'view', 'materialized view'])
  const known = new Set([...before.relations.values()].map(nameOf))
  return [...catalog.relations.values()]
    .filter(({ oid, kind }) => !before.relations.has(oid) && kinds.has(kind))
    .map(nameOf)
    .filter((name) => !known.has(name))
    .toSorted()
}
