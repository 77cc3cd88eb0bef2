/**
 * What an app imports, `import { DatabaseMigration } from 'cdk-lockstep'`, and a TypeScript migration:
 * `import type { MigrationContext } from 'cdk-lockstep'`.
 */
export type { EnvironmentName, Policy } from '../lambda/analysis-contract.ts'
export type { FailurePolicy, RollbackPolicy, SnapshotMode, TlsMode, TransactionScope } from '../lambda/contract.ts'
export type { MigrationContext } from '../lambda/engine/migration/migration.ts'
export { DatabaseMigration } from './database-migration.ts'
export type { DatabaseMigrationProps } from './database-migration-props.ts'
export type { DatabaseRequirementProps } from './database-requirement.ts'
export type { DatabaseSource, ExistingDatabase } from './database-target.ts'
export { MigrationStack, type MigrationStackProps } from './migration-stack.ts'
export { Snapshot, type LogicalSnapshotProps, type RdsSnapshotProps } from './snapshot.ts'
