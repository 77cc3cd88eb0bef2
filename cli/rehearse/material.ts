import type { DatabaseSetting } from '../../lambda/snapshot/database-properties.ts'
import type { SnapshotManifest } from '../../lambda/snapshot/manifest.ts'
import type { SnapshotStore } from '../../lambda/snapshot/store.ts'
import type { Sizes } from './estimate.ts'
import type { RelationPages } from './planner-statistics.ts'
import type { RehearsalSource } from './rehearsal.ts'

/** What a scratch database is made of: a snapshot, or one that holds nothing but the structure of a live database. */
export interface Material {
  readonly store: SnapshotStore
  readonly prefix: string
  readonly manifest: SnapshotManifest
  readonly source: RehearsalSource
  /** Of the live database; null: the rows are in the material. */
  readonly live: LiveFacts | null
}

/** What is known of a live database beside its structure. */
export interface LiveFacts {
  readonly sizes: Sizes
  readonly pages: readonly RelationPages[]
  /** What its sessions begin with, and those of the scratch server would not. */
  readonly settings: readonly DatabaseSetting[]
  /** Roles of its server. */
  readonly roles: ReadonlySet<string>
}

/** Of PostgreSQL 14.23 and 18.4 alike. */
export function majorOf({ server }: Pick<SnapshotManifest, 'server'>): number {
  return Math.floor(server.versionNumber / 10_000)
}
