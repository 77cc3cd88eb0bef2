import { createHash } from 'node:crypto'
import { LockstepError, UNTOUCHED } from '../../errors.ts'
import type { Node } from './migration-graph.ts'
import type { Migration, MigrationFunction } from '../migration/migration.ts'
import { splitQuestions, splitSection, type Statement } from '../migration/statements.ts'

interface StepBase {
  readonly id: string
  readonly direction: 'up' | 'down'
  readonly migration: Migration
  readonly parents: readonly string[]
  /** Runs in the segment's transaction. */
  readonly transactional: boolean
  /** Milliseconds; null: the run's. */
  readonly lockTimeoutMs: number | null
  readonly statementTimeoutMs: number | null
}

export interface SqlStep extends StepBase {
  readonly kind: 'sql'
  readonly statements: readonly Statement[]
  /** Must be true before the run touches anything. */
  readonly require: readonly Statement[]
  /** Must be true after the statements, before they commit. */
  readonly verify: readonly Statement[]
}

export interface CodeStep extends StepBase {
  readonly kind: 'ts'
  readonly run: MigrationFunction
}

/** One migration, made ready to be applied or reverted. */
export type Step = SqlStep | CodeStep

/** Makes the up of a migration ready. @throws LockstepError `MIGRATION_INVALID`. */
export function upStep(node: Node): Step {
  const { migration } = node
  const base = baseOf(migration, node.parents, 'up')
  return migration.kind === 'sql'
    ? {
        ...base,
        kind: 'sql',
        transactional: migration.up.transactional,
        statements: splitSection(migration, migration.up),
        require: splitQuestions(migration, migration.require),
        verify: splitQuestions(migration, migration.verify),
      }
    : { ...base, kind: 'ts', transactional: migration.transactional, run: migration.up }
}

/**
 * Makes the down of a migration ready.
 *
 * @throws LockstepError `MIGRATION_IRREVERSIBLE` when it has none or declares itself irreversible, `MIGRATION_INVALID`.
 */
export function downStep(migration: Migration): Step {
  const base = baseOf(migration, [], 'down')
  const { irreversible } = migration.directives
  if (irreversible !== null) throw irreversibleMigration(migration.id, `it is declared irreversible: ${irreversible}`)
  if (migration.down === null) throw irreversibleMigration(migration.id, 'it has no down')
  return migration.kind === 'sql'
    ? {
        ...base,
        kind: 'sql',
        transactional: migration.down.transactional,
        statements: splitSection(migration, migration.down),
        require: [],
        verify: [],
      }
    : { ...base, kind: 'ts', transactional: migration.transactional, run: migration.down }
}

function baseOf(
  migration: Migration,
  parents: readonly string[],
  direction: 'up' | 'down',
): Omit<StepBase, 'transactional'> {
  return {
    id: migration.id,
    direction,
    migration,
    parents,
    lockTimeoutMs: migration.directives.lockTimeoutMs,
    statementTimeoutMs: migration.directives.statementTimeoutMs,
  }
}

export function irreversibleMigration(id: string, why: string): LockstepError {
  return new LockstepError({
    code: 'MIGRATION_IRREVERSIBLE',
    message: `${id} cannot be reverted: ${why}.`,
    state: UNTOUCHED,
    remedy: 'Go forward with a new migration, or restore a snapshot ("snapshots" lists them).',
    migration: id,
  })
}

/** sha256 over the texts of the first `count` statements: a changed file may go on only where these are the same. */
export function statementsChecksum(statements: readonly Statement[], count: number): string {
  const hash = createHash('sha256')
  for (const statement of statements.slice(0, count)) hash.update(statement.sql).update('\0')
  return hash.digest('hex')
}
