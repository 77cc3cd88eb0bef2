import { affectedTables, type Affected } from './engine/affected/affected-tables.ts'
import type { Step } from './engine/plan/step.ts'
import { UNTOUCHED } from './errors.ts'
import type { Lockstep } from './lockstep.ts'
import { toLockstepError } from './snapshot/failure.ts'
import { matchesTable, type SnapshotScope, type SnapshotSelection } from './snapshot/scope.ts'

/** What a run's snapshot is to hold. */
export interface RunSelection {
  readonly selection: SnapshotSelection
  /** Why it is the whole database, although only what is affected was asked for; null: it is as it was asked for. */
  readonly unsure: string | null
}

/**
 * Which rows the snapshot before these steps is to hold, by the configuration and by what the steps can touch.
 *
 * @throws LockstepError `SNAPSHOT_FAILED`, `DATABASE_UNREACHABLE`.
 */
export async function selectionFor(lockstep: Lockstep, steps: readonly Step[]): Promise<RunSelection> {
  const { snapshotScope, snapshotExclude: exclude, historySchema } = lockstep.config
  if (snapshotScope.kind !== 'affected')
    return { selection: { scope: snapshotScope, exclude, historySchema }, unsure: null }
  const affected = await findAffected(lockstep, steps)
  const scope: SnapshotScope =
    affected.kind === 'unsure' ? { kind: 'database' } : { kind: 'affected', tables: affected.tables }
  return { selection: { scope, exclude, historySchema }, unsure: affected.kind === 'unsure' ? affected.why : null }
}

async function findAffected(lockstep: Lockstep, steps: readonly Step[]): Promise<Affected> {
  const connection = await lockstep.connect()
  try {
    return await affectedTables(connection, steps)
  } catch (error) {
    const subject = 'Finding out which tables the migrations can touch'
    throw toLockstepError(error, { code: 'SNAPSHOT_FAILED', subject, state: UNTOUCHED })
  } finally {
    await connection.close()
  }
}

/** Says in the log what the snapshot will hold, and what it should have held. */
export function tellSelection({ log }: Lockstep, { selection, unsure }: RunSelection): void {
  const { scope, exclude } = selection
  if (unsure !== null)
    log.info('the snapshot holds the whole database: what the migrations can touch is not sure', { unsure })
  if (scope.kind !== 'affected') return
  const tables = scope.tables.map(({ schema, name, why }) => `${schema}.${name}: ${why}`)
  log.info('the snapshot holds the tables that the migrations can touch', { tables })
  const missing = scope.tables.filter((table) => exclude.some((pattern) => matchesTable(pattern, table)))
  if (missing.length === 0) return
  log.warn('the migrations can touch tables that are excluded from the snapshot', {
    tables: missing.map(({ schema, name }) => `${schema}.${name}`),
  })
}
