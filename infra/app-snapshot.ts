import { Duration } from 'aws-cdk-lib'
import type { Node } from 'constructs'
import { SNAPSHOT_MODES, type SnapshotMode } from '../lambda/contract.ts'
import { invalidContext, listOf, numberOf, textOf, oneOf } from './context-values.ts'
import { defined } from './defined.ts'
import { Snapshot, type LogicalSnapshotProps } from './snapshot.ts'

/** What can be said of a snapshot, by its mode. */
const KEYS: Readonly<Record<SnapshotMode, readonly string[]>> = {
  logical: [
    'snapshotScope',
    'snapshotExclude',
    'snapshotWorkers',
    'snapshotKeepLast',
    'snapshotExpireAfter',
    'snapshotLockFor',
  ],
  rds: ['snapshotKeepLast', 'instanceIdentifier', 'clusterIdentifier'],
  none: [],
}

/**
 * Reads the choice of a snapshot from the app's context.
 *
 * @throws SynthesisError naming the key and the value received.
 */
export function readSnapshot(node: Node): Snapshot {
  const mode = oneOf(node, 'snapshot', SNAPSHOT_MODES) ?? 'logical'
  refuseOthers(node, mode)
  switch (mode) {
    case 'logical':
      return Snapshot.logical(logicalProps(node))
    case 'rds':
      return Snapshot.rds(
        defined({
          keepLast: numberOf(node, 'snapshotKeepLast', 'snapshots'),
          instanceIdentifier: textOf(node, 'instanceIdentifier'),
          clusterIdentifier: textOf(node, 'clusterIdentifier'),
        }),
      )
    case 'none':
      return Snapshot.none()
    default:
      return mode satisfies never
  }
}

function logicalProps(node: Node): LogicalSnapshotProps {
  const days = (key: string): Duration | undefined => {
    const given = numberOf(node, key, 'days')
    return given === undefined ? undefined : Duration.days(given)
  }
  const exclude = listOf(node, 'snapshotExclude')
  return defined({
    scope: readScope(node),
    exclude: exclude.length === 0 ? undefined : exclude,
    workers:
      textOf(node, 'snapshotWorkers') === 'distributed' ? 'distributed' : numberOf(node, 'snapshotWorkers', 'sessions'),
    keepLast: numberOf(node, 'snapshotKeepLast', 'snapshots'),
    expireAfter: days('snapshotExpireAfter'),
    lockFor: days('snapshotLockFor'),
  })
}

function readScope(node: Node): LogicalSnapshotProps['scope'] {
  const value = textOf(node, 'snapshotScope')
  if (value === undefined || value === 'database' || value === 'affected') return value
  const [, schemas] = /^schemas:(.+)$/.exec(value) ?? []
  if (schemas !== undefined) return { schemas: schemas.split(',') }
  throw invalidContext('snapshotScope', value, 'Give database, affected, or schemas:one,another.')
}

function refuseOthers(node: Node, mode: SnapshotMode): void {
  const other = Object.values(KEYS)
    .flat()
    .find((key) => !KEYS[mode].includes(key) && textOf(node, key) !== undefined)
  if (other === undefined) return
  throw invalidContext(other, textOf(node, other) ?? '', `Leave it out: the snapshot is "${mode}".`)
}
