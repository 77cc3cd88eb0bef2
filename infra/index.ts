/** What an app imports: `import { DatabaseMigration } from 'cdk-lockstep'`. */
export type { RollbackPolicy, SnapshotMode, TlsMode, TransactionScope } from '../lambda/contract.ts'
export { DatabaseMigration } from './database-migration.ts'
export type { DatabaseMigrationProps } from './database-migration-props.ts'
export type { DatabaseRequirementProps } from './database-requirement.ts'
export type { DatabaseSource, ExistingDatabase } from './database-target.ts'
export { MigrationStack, type MigrationStackProps } from './migration-stack.ts'
export { Snapshot } from './snapshot.ts'
