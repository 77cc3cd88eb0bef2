import { Fault } from './fault.ts'

/** A snapshot of an instance's or cluster's storage, as its service tells of it. */
export interface StorageSnapshot {
  readonly id: string
  /** Names it in every account and region. */
  readonly arn: string
  /** `creating`, `available`, `failed` and others. */
  readonly status: string
  /** How much of it is done, from 0 to 100. */
  readonly percent: number
  /** Null while it begins. */
  readonly createdAt: Date | null
  readonly tags: Readonly<Record<string, string>>
}

/** Takes snapshots of one instance or cluster. Everything rejects with a Fault that says what to do. */
export interface StorageService {
  /** For people, such as `instance "shop"`. */
  readonly server: string
  /** Null when there is none of this id. */
  readonly find: (id: string) => Promise<StorageSnapshot | null>
  /** Begins one, or finds it begun. @throws NotAvailableFault while the server is at something else. */
  readonly create: (id: string, tags: StorageSnapshot['tags']) => Promise<StorageSnapshot>
  /** Those that somebody took, and not the automated ones. */
  readonly list: () => Promise<readonly StorageSnapshot[]>
  readonly remove: (id: string) => Promise<void>
}

/** The instance or cluster cannot be snapshotted as long as it is backed up, modified or stopped. */
export class NotAvailableFault extends Fault {}
