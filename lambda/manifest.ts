import type { AnalysisEntry } from './analysis-contract.ts'
import type { MigrationKind } from './contract.ts'

/** What the function's bundle says of its migrations; written at synth. */
export interface MigrationManifest {
  readonly version: 1
  readonly migrations: readonly ManifestEntry[]
}

export interface ManifestEntry {
  readonly id: string
  readonly kind: MigrationKind
  readonly checksum: string
  readonly parents: readonly string[]
  /** The source file's name, beside the manifest. */
  readonly file: string
  /** The compiled module's name, beside the manifest; only for kind `ts`. */
  readonly module?: string
  /** What `lint` and `prove` found of it; absent where nobody looked at this text of it. */
  readonly analysis?: AnalysisEntry
}
