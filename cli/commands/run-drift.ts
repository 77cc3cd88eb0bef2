import type { DriftDifference } from '../../lambda/drift-contract.ts'
import { readMigrationDirectory } from '../../lambda/engine/migration/migration-directory.ts'
import { buildGraph } from '../../lambda/engine/plan/migration-graph.ts'
import { loadParser } from '../../lambda/engine/migration/statements.ts'
import type { Lockstep } from '../../lambda/lockstep.ts'
import { storedArchive } from '../../lambda/stored-archive.ts'
import { findHistoryDrift, type DriftFindings } from '../drift/drift.ts'
import type { Offer } from '../drift/reconcile.ts'
import type { Reconciliation } from '../drift/reconciliation.ts'
import { EXIT, type Outcome } from '../exit.ts'
import { withDatabase } from '../lint/pending.ts'
import type { LocalSurroundings } from '../local-command.ts'
import { renderHistoryDrift } from '../render/history-drift.ts'
import { styleFor } from '../render/style.ts'
import type { Settings } from '../settings.ts'
import { explainTrial } from '../shadow/shadow.ts'
import type { DriftRequest } from './drift.ts'

/** The document of `drift --json`. */
export interface DriftResult extends Omit<DriftFindings, 'offers'> {
  readonly database: string
  readonly against: 'history'
  /** SQL that reconciles, or a migration. Nobody has run it. Null: there is none. */
  readonly reconcile: string | null
  /** What came of trying it on a copy. */
  readonly reconciliation: Reconciled | null
}

export interface Reconciled {
  readonly way: Reconciliation
  /** Whether nothing was left to reconcile. */
  readonly complete: boolean
  readonly failure: string | null
  readonly left: readonly DriftDifference[]
  /** Statements that lose data. */
  readonly destructive: readonly string[]
}

/**
 * `drift`.
 *
 * @throws LockstepError `DATABASE_UNREACHABLE`, `CONFIG_INVALID`, `MIGRATION_FAILED` for a history that cannot be replayed.
 */
export async function driftCommand(
  request: DriftRequest,
  settings: Settings,
  { signal }: LocalSurroundings,
): Promise<Outcome> {
  await loadParser()
  const graph = buildGraph(readMigrationDirectory(settings.migrations))
  const result = await withDatabase(settings, signal, async (lockstep): Promise<DriftResult> => {
    const connection = await lockstep.connect()
    try {
      const findings = await findHistoryDrift(connection, {
        url: urlOf(lockstep),
        files: {
          schema: settings.historySchema,
          set: settings.set,
          graph,
          archive: settings.snapshots === null ? null : storedArchive(lockstep.snapshots().store),
        },
        shadow: { major: request.major ?? undefined, url: request.shadowUrl },
        ignore: request.ignore,
        reconcile: request.reconcile,
        signal,
      })
      return resultOf(await lockstep.databaseName(), findings)
    } catch (error) {
      throw connection.isOpen() ? explainTrial(error) : error
    } finally {
      await connection.close()
    }
  })
  const text = renderHistoryDrift(result, styleFor(process.stdout))
  return { document: result, text, exitCode: result.differences.length > 0 ? EXIT.failed : EXIT.done }
}

function urlOf({ config: { database } }: Lockstep): string {
  return database.kind === 'url' ? database.url : ''
}

function resultOf(database: string, { offers, ...findings }: DriftFindings): DriftResult {
  const base = { database, against: 'history' as const, ...findings }
  if (offers === null) return { ...base, reconcile: null, reconciliation: null }
  const { revert, adopt } = offers
  if (adopt === null) return { ...base, reconcile: revert.sql, reconciliation: reconciled('revert', [revert]) }
  const migration = `-- migrate:up\n${adopt.sql}-- migrate:down\n${revert.sql}`
  return { ...base, reconcile: migration, reconciliation: reconciled('adopt', [adopt, revert]) }
}

function reconciled(way: Reconciliation, offers: readonly Offer[]): Reconciled {
  const failure = offers.find((offer) => offer.failure !== null)?.failure ?? null
  const left = offers.find((offer) => offer.left.length > 0)?.left ?? []
  const destructive = offers.flatMap((offer) => offer.destructive)
  return { way, complete: failure === null && left.length === 0, failure, left, destructive }
}
