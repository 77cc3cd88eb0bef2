import type { SnapshotMode } from '../lambda/contract.ts'

/**
 * What is kept of the database before a deployment changes it.
 *
 * @example
 * new DatabaseMigration(this, 'Migration', { database, migrations: 'migrations', snapshot: Snapshot.none() })
 */
export class Snapshot {
  /** A consistent logical copy in the snapshot bucket, complete and verified before the first statement. */
  static logical(): Snapshot {
    return new Snapshot('logical')
  }

  /** No copy. What a migration loses is lost; an automatic revert can only run downs. */
  static none(): Snapshot {
    return new Snapshot('none')
  }

  /** The mode's name, as the function knows it. */
  readonly mode: SnapshotMode

  private constructor(mode: SnapshotMode) {
    this.mode = mode
  }
}
