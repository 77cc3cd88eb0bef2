import type { EngineContext } from '../../lambda/engine/context.ts'
import { migrateDown, migrateUp } from '../../lambda/engine/run/migrate.ts'
import type { Migration } from '../../lambda/engine/migration/migration.ts'
import type { Connection } from '../../lambda/engine/database.ts'
import type { Log } from '../../lambda/log.ts'
import type { CatalogScope } from '../catalog/read-catalog.ts'
import { compareAgain, compareBack, compareIndexes, readMoment } from './compare.ts'
import { runPass, skippedPass, type PassOutcome, type PassRoom } from './pass.ts'
import type { Comparison, PassName, RehearsedPass } from './rehearsal.ts'
import { wayBackOf } from './ways-back.ts'

export interface Play {
  readonly passes: readonly RehearsedPass[]
  readonly comparisons: readonly Comparison[]
}

export interface PlayRoom extends PassRoom {
  readonly migrations: readonly Migration[]
  /** A session on the scratch database that no run uses. */
  readonly inspection: Connection
  readonly scope: CatalogScope
  /** Done before each run: the one before may have had PostgreSQL count empty tables. */
  readonly refresh: () => Promise<void>
  /** What a run that failed comes to. Null: what it failed of has been put right, and it is to be tried again. */
  readonly settle: (outcome: PassOutcome) => Promise<PassOutcome | null>
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Runs the deployment, its way back, and the deployment again. What fails ends it; nothing is tried on a database that is
 * somewhere in between.
 */
export async function play(room: PlayRoom): Promise<Play> {
  const { inspection, scope, migrations, signal } = room
  const passes: RehearsedPass[] = []
  const comparisons: Comparison[] = []
  const look = async () => {
    signal.throwIfAborted()
    room.log.info('Reading schema and rows of the scratch database')
    return readMoment(inspection, scope)
  }
  const up = (context: EngineContext) => migrateUp(context, { migrations, signal })
  const perform = async (name: PassName, run: Parameters<typeof runPass>[2]): Promise<PassOutcome> => {
    signal.throwIfAborted()
    room.log.info(`Rehearsing ${name}`)
    await room.refresh()
    let settled: PassOutcome | null = null
    while (settled === null) {
      const outcome = await runPass(room, name, run)
      settled = outcome.pass.status === 'failed' ? await room.settle(outcome) : outcome
    }
    passes.push(settled.pass)
    return settled
  }
  const rest = (names: readonly PassName[], reason: string): Play => {
    passes.push(...names.map((name) => skippedPass(name, reason)))
    return { passes, comparisons }
  }
  const before = await look()
  const first = await perform('up', up)
  if (first.pass.status === 'failed') return rest(['down', 'up again'], 'The up fails.')
  const after = await look()
  comparisons.push(compareIndexes(before, after))
  const ids = first.run?.applied ?? []
  const way = wayBackOf(appliedOf(migrations, ids))
  if (way.kind === 'declared') return rest(['down', 'up again'], way.reason)
  if (way.kind === 'missing') {
    passes.push({ ...skippedPass('down', ''), status: 'failed', reason: null, error: way.error })
    return rest(['up again'], 'There is no way back.')
  }
  const back = await perform('down', (context) =>
    migrateDown(context, { migrations, signal, target: { kind: 'ids', ids } }),
  )
  if (back.pass.status === 'failed') return rest(['up again'], 'The down fails.')
  comparisons.push(...compareBack(before, await look()))
  const again = await perform('up again', up)
  if (again.pass.status === 'succeeded') comparisons.push(...compareAgain(after, await look()))
  return { passes, comparisons }
}

/** Repeatables have their texts of before as their way back. */
function appliedOf(migrations: readonly Migration[], ids: readonly string[]): readonly Migration[] {
  const wanted = new Set(ids)
  return migrations.filter(({ id }) => wanted.has(id))
}
