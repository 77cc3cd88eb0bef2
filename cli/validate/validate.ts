import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildGraph, type MigrationGraph } from '../../lambda/engine/plan/migration-graph.ts'
import { readMigrationDirectory } from '../../lambda/engine/migration/migration-directory.ts'
import type { Migration } from '../../lambda/engine/migration/migration.ts'
import { planUp, type Problem } from '../../lambda/engine/plan/plan.ts'
import { loadParser } from '../../lambda/engine/migration/statements.ts'
import type { AppliedMigration } from '../../lambda/engine/history/state.ts'
import { explainTrial, startShadow } from '../shadow/shadow.ts'
import { checkFile } from './check-files.ts'
import { checkNames } from './check-names.ts'
import { checkReplay } from './check-replay.ts'
import { collector, type ValidationProblem } from './problem.ts'

export interface ValidateOptions {
  readonly directory: string
  /** What the database's history holds. @default not asked */
  readonly history?: (() => Promise<readonly AppliedMigration[]>) | undefined
  /** Apply the whole set to a throw-away server. */
  readonly replay: boolean
  readonly major?: number | undefined
  readonly shadowUrl?: string | null | undefined
  readonly historySchema: string
  readonly signal: AbortSignal
}

export interface Validation {
  readonly problems: readonly ValidationProblem[]
  readonly migrations: readonly Migration[]
  /** How many the shadow server has applied. Null: none was tried. */
  readonly replayed: number | null
  /** How many failed there only because an earlier one had. */
  readonly consequences: number
}

/**
 * Looks for everything that is wrong with a set.
 *
 * @throws LockstepError `CONFIG_INVALID` for a directory that cannot be read, `DATABASE_UNREACHABLE`.
 */
export async function validate(options: ValidateOptions): Promise<Validation> {
  await loadParser()
  const { directory, history, replay } = options
  const found = collector()
  const failed = new Map<string, string>()
  const migrations = readMigrationDirectory(directory, (error) => {
    found.report(error)
    const { migration, file } = error.report
    if (migration !== undefined && file !== undefined) failed.set(migration, file)
  })
  const read = new Set(migrations.map(({ id }) => id))
  const unreadable = new Map([...failed].filter(([id]) => !read.has(id)))
  const versioned = migrations.filter((each) => each.kind === 'ts' || !each.repeatable)
  for (const problem of checkNames(directory, versioned)) found.add(problem)
  for (const migration of migrations) checkFile(migration, found)
  const graph = buildGraph(migrations, (error) => {
    if (![...unreadable.keys()].some((id) => error.report.message.includes(`"${id}"`))) found.report(error)
  })
  for (const problem of headProblems(graph)) found.add(problem)
  if (history !== undefined) for (const problem of historyProblems(graph, await history())) found.add(problem)
  if (!replay) return { problems: found.problems(), migrations, replayed: null, consequences: 0 }
  const missing = [...unreadable.values()].map((file) => readFileSync(join(directory, file), 'utf8'))
  const replayed = await replayAll(graph, options, missing)
  for (const problem of replayed.problems) found.add(problem)
  return { problems: found.problems(), migrations, replayed: replayed.applied, consequences: replayed.consequences }
}

function headProblems(graph: MigrationGraph): readonly ValidationProblem[] {
  return planUp(graph, []).problems.map((problem) => fromPlan(problem, graph))
}

function historyProblems(graph: MigrationGraph, applied: readonly AppliedMigration[]): readonly ValidationProblem[] {
  const { problems, ahead } = planUp(graph, applied)
  return [
    ...problems.map((problem) => fromPlan(problem, graph)),
    ...ahead.map((id): ValidationProblem => ({
      severity: 'warning',
      code: 'HISTORY_FILE_MISSING',
      migration: id,
      file: null,
      message: `${id} is applied, but without a file: either the file was deleted, or the database is newer than this checkout.`,
      remedy:
        'Check out the version that has the file, or revert the migration with "down" (the history holds its source).',
    })),
  ]
}

function fromPlan({ code, migration, message, remedy }: Problem, graph: MigrationGraph): ValidationProblem {
  const file = migration === null ? null : (graph.byId.get(migration)?.migration.file ?? null)
  return { severity: 'error', code, migration, file, message, remedy }
}

async function replayAll(
  graph: MigrationGraph,
  { major, shadowUrl, historySchema, signal }: ValidateOptions,
  missing: readonly string[],
): Promise<Awaited<ReturnType<typeof checkReplay>>> {
  const shadow = await startShadow(
    graph.ordered.map(({ migration }) => migration),
    { major, url: shadowUrl, signal },
  )
  try {
    const database = await shadow.open({ historySchema, signal })
    const replayed = await checkReplay(database, graph, missing)
    await database.close()
    return replayed
  } catch (error) {
    throw explainTrial(error)
  } finally {
    await shadow.stop()
  }
}
