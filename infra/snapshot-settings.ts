import { Duration, Token } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import { MAX_SNAPSHOT_WORKERS } from '../lambda/snapshot-settings.ts'
import { parsePatterns, parseScope } from '../lambda/snapshot/scope.ts'
import type { DatabaseMigrationProps } from './database-migration-props.ts'
import { Snapshot, type LogicalSnapshotProps, type RdsSnapshotProps } from './snapshot.ts'
import { invalidProperty } from './synthesis-error.ts'

/** What a run does about snapshots, with its defaults; texts as the function's environment has them. */
export type SnapshotSettings =
  | {
      readonly mode: 'logical'
      readonly scope: string
      readonly exclude: string | undefined
      readonly workers: number | 'distributed' | undefined
      readonly keepLast: number | undefined
    }
  | { readonly mode: 'rds'; readonly keepLast: number }
  | { readonly mode: 'none' }

/** How long the bucket keeps what is written to it. */
export interface Retention {
  /** Days. */
  readonly expireAfter: number
  /** The function deletes what is too old, so that the newest stay. */
  readonly byFunction: boolean
  readonly lock: { readonly mode: 'governance' | 'compliance'; readonly days: number } | undefined
}

const EXPIRE_AFTER = Duration.days(30)
const RDS_KEEP_LAST = 5

type Props = Pick<DatabaseMigrationProps, 'snapshot' | 'snapshotBucket' | 'encryptionKey' | 'onFailure'>

/**
 * Reads the choice of a snapshot.
 *
 * @throws SynthesisError for what contradicts itself, or would only fail at deployment.
 */
export function snapshotSettings(scope: Construct, props: Props): SnapshotSettings {
  const { choice } = props.snapshot ?? Snapshot.logical()
  switch (choice.mode) {
    case 'logical':
      return logicalSettings(scope, choice, props)
    case 'rds':
      return rdsSettings(scope, choice, props)
    case 'none':
      refuseRestore(scope, props, '"snapshot" is Snapshot.none(): there would be nothing to restore')
      return { mode: 'none' }
    default:
      return choice satisfies never
  }
}

function logicalSettings(scope: Construct, choice: LogicalSnapshotProps, props: Props): SnapshotSettings {
  const { workers, exclude = [] } = choice
  const rows = scopeText(scope, choice.scope)
  const refused = exclude.find((pattern) => parsePatterns(pattern)?.length !== 1)
  if (refused !== undefined) {
    throw invalidProperty(
      scope,
      `"exclude" of the snapshot has "${refused}".`,
      'Give schema.table, where * stands for any characters; quote a name with a comma or a dot: shop."a.b".',
    )
  }
  if (typeof workers === 'number') refuseOutside(scope, 'workers', workers, MAX_SNAPSHOT_WORKERS)
  if (choice.keepLast !== undefined) refuseOutside(scope, 'keepLast', choice.keepLast)
  if (rows !== 'database')
    refuseRestore(scope, props, `the "scope" of the snapshot is ${rows}: it lacks rows of the database`)
  if (exclude.length > 0) refuseRestore(scope, props, 'the snapshot excludes tables: it lacks rows of the database')
  return {
    mode: 'logical',
    scope: rows,
    exclude: exclude.length === 0 ? undefined : exclude.join(','),
    workers,
    keepLast: choice.keepLast,
  }
}

function scopeText(scope: Construct, chosen: LogicalSnapshotProps['scope'] = 'database'): string {
  if (typeof chosen === 'string') return chosen
  const { schemas } = chosen
  const text = `schemas:${schemas.join(',')}`
  const parsed = parseScope(text)
  if (parsed?.kind === 'schemas' && parsed.schemas.length === schemas.length) return text
  throw invalidProperty(
    scope,
    `"scope" of the snapshot has the schemas ${JSON.stringify(schemas)}.`,
    'Give the name of at least one schema; quote a name with a comma or a dot: "a.b".',
  )
}

function rdsSettings(scope: Construct, { keepLast = RDS_KEEP_LAST }: RdsSnapshotProps, props: Props): SnapshotSettings {
  refuseOutside(scope, 'keepLast', keepLast)
  refuseRestore(scope, props, '"snapshot" is Snapshot.rds(), which RDS restores into a new server and not in place')
  return { mode: 'rds', keepLast }
}

function refuseRestore(scope: Construct, { onFailure }: Props, what: string): void {
  if (onFailure !== 'restore') return
  throw invalidProperty(
    scope,
    `"onFailure" is "restore", but ${what}.`,
    "Give Snapshot.logical() of the whole database, or onFailure: 'revert'.",
  )
}

function refuseOutside(scope: Construct, name: string, value: number, most = Number.MAX_SAFE_INTEGER): void {
  if (Token.isUnresolved(value) || (Number.isInteger(value) && value >= 1 && value <= most)) return
  const range = most === Number.MAX_SAFE_INTEGER ? 'from 1 on' : `from 1 to ${most}`
  throw invalidProperty(scope, `"${name}" of the snapshot is ${value}.`, `Give a whole number ${range}.`)
}

/**
 * How long the bucket is to keep things.
 *
 * @throws SynthesisError for what a bucket cannot do, or what a bucket that is brought along is not given.
 */
export function snapshotRetention(scope: Construct, props: Props): Retention {
  const { snapshot = Snapshot.logical(), snapshotBucket, encryptionKey } = props
  const chosen: LogicalSnapshotProps = snapshot.choice.mode === 'logical' ? snapshot.choice : {}
  if (snapshotBucket !== undefined) refuseOfOwnBucket(scope, chosen, encryptionKey !== undefined)
  if (chosen.lockMode !== undefined && chosen.lockFor === undefined) {
    throw invalidProperty(scope, '"lockMode" of the snapshot is given without "lockFor".', 'Give both, or neither.')
  }
  const expireAfter = wholeDays(scope, 'expireAfter', chosen.expireAfter ?? EXPIRE_AFTER)
  const retention = { expireAfter, byFunction: chosen.keepLast !== undefined }
  if (chosen.lockFor === undefined) return { ...retention, lock: undefined }
  const days = wholeDays(scope, 'lockFor', chosen.lockFor)
  if (retention.byFunction) {
    throw invalidProperty(
      scope,
      '"lockFor" and "keepLast" of the snapshot contradict each other: what is locked cannot be deleted.',
      'Give one of them.',
    )
  }
  if (days > expireAfter) {
    throw invalidProperty(
      scope,
      `"lockFor" of the snapshot is ${days} days, but it expires after ${expireAfter}.`,
      'Give an "expireAfter" that is at least as long.',
    )
  }
  return { ...retention, lock: { mode: chosen.lockMode ?? 'governance', days } }
}

function refuseOfOwnBucket(scope: Construct, { expireAfter, keepLast, lockFor }: LogicalSnapshotProps, key: boolean) {
  const refused = [
    ...(expireAfter !== undefined && keepLast === undefined ? ['"expireAfter" of the snapshot'] : []),
    ...(lockFor === undefined ? [] : ['"lockFor" of the snapshot']),
    ...(key ? ['"encryptionKey"'] : []),
  ]
  if (refused.length === 0) return
  throw invalidProperty(
    scope,
    `${refused.join(' and ')} is for the bucket that is made here, but "snapshotBucket" is given.`,
    'Configure it on that bucket, or leave one of them out.',
  )
}

function wholeDays(scope: Construct, name: string, duration: Duration): number {
  if (duration.isUnresolved()) {
    throw invalidProperty(scope, `"${name}" of the snapshot is not known at synth.`, 'Give a duration that is.')
  }
  const days = duration.toDays({ integral: false })
  if (Number.isInteger(days) && days >= 1) return days
  throw invalidProperty(
    scope,
    `"${name}" of the snapshot is ${duration.toHumanString()}.`,
    'Give whole days, from 1 on: S3 counts in days.',
  )
}
