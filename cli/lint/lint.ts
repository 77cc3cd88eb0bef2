import type { MigrationGraph, Node } from '../../lambda/engine/plan/migration-graph.ts'
import { loadParser } from '../../lambda/engine/migration/statements.ts'
import { repeatablesOf } from '../shadow/replay.ts'
import { startShadow } from '../shadow/shadow.ts'
import { lintAll } from './lint-all.ts'
import type { Linted } from './lint-one.ts'
import { runSquawk } from './squawk.ts'
import { openWatchedDatabase } from './watch.ts'

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
  /** How long a statement may run before it is ended. Milliseconds. @default no limit */
  readonly statementTimeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
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
  const repeatables = repeatablesOf(graph)
  const chosen = chosenOf([...ordered, ...repeatables], options)
  const shadow = await startShadow(
    [...ordered, ...repeatables].map(({ migration }) => migration),
    { major: options.major, url: options.shadowUrl, signal: options.signal },
  )
  try {
    const sql = chosen.flatMap(({ migration }) => (migration.kind === 'sql' ? [migration] : []))
    const squawk = await runSquawk(sql, shadow.server.major)
    const watched = await openWatchedDatabase(shadow.server, options)
    const { linted, notes } = await lintAll(watched, {
      ordered,
      repeatables,
      chosen: new Set(chosen),
      squawk,
      asOneRun: options.pending !== null,
    })
    await watched.database.close()
    options.signal?.throwIfAborted()
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
