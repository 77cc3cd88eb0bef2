import { createHash } from 'node:crypto'
import { ArnFormat, Names, Stack } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'
import type { DatabaseTarget } from './database-target.ts'
import type { RdsSnapshotProps, Snapshot } from './snapshot.ts'
import { invalidProperty } from './synthesis-error.ts'

/** The instance or cluster whose storage RDS takes snapshots of. */
export interface RdsServer {
  readonly kind: 'instance' | 'cluster'
  readonly identifier: string
  /** Begins the identifiers of this migration's snapshots, and of no other's. */
  readonly snapshotPrefix: string
  /** The snapshots are tagged with it. */
  readonly stackName: string
}

/**
 * Finds the instance or cluster that is to be snapshotted.
 *
 * @returns undefined where the snapshots are not RDS's own
 * @throws SynthesisError when it is not known, or given twice.
 */
export function rdsServer(
  scope: Construct,
  snapshot: Snapshot | undefined,
  target: DatabaseTarget,
  set: string,
): RdsServer | undefined {
  if (snapshot?.choice.mode !== 'rds') return undefined
  const { stackName } = Stack.of(scope)
  const snapshotPrefix = prefixOf(scope, set)
  return { ...storageOf(scope, snapshot.choice, target), snapshotPrefix, stackName }
}

function storageOf(
  scope: Construct,
  { instanceIdentifier, clusterIdentifier }: RdsSnapshotProps,
  { storage }: DatabaseTarget,
): Pick<RdsServer, 'kind' | 'identifier'> {
  const isGiven = instanceIdentifier !== undefined || clusterIdentifier !== undefined
  if (storage !== undefined && isGiven) {
    throw invalidProperty(
      scope,
      `Snapshot.rds() is given an identifier, but "database" is the ${storage.kind} already.`,
      'Leave the identifier out.',
    )
  }
  if (storage !== undefined) return storage
  if (instanceIdentifier !== undefined && clusterIdentifier !== undefined) {
    throw invalidProperty(
      scope,
      'Snapshot.rds() is given both an "instanceIdentifier" and a "clusterIdentifier".',
      'Give that of the cluster if the instance belongs to one; else that of the instance.',
    )
  }
  if (instanceIdentifier !== undefined) return { kind: 'instance', identifier: instanceIdentifier }
  if (clusterIdentifier !== undefined) return { kind: 'cluster', identifier: clusterIdentifier }
  throw invalidProperty(
    scope,
    'Snapshot.rds() cannot read from this database which RDS instance or cluster it is.',
    'Give Snapshot.rds({ instanceIdentifier }) or Snapshot.rds({ clusterIdentifier }).',
  )
}

/** A snapshot of a cluster has at most 63 characters in its name, of which the run's id takes 32. */
const LONGEST_STACK = 12
const HASH = 8

function prefixOf(scope: Construct, set: string): string {
  const stack = Names.uniqueResourceName(Stack.of(scope), { separator: '-', maxLength: 100 })
  const hash = createHash('sha256').update(`${stack}/${set}`).digest('hex').slice(0, HASH)
  const readable = stack.toLowerCase().slice(0, LONGEST_STACK).replace(/-+$/, '').replaceAll(/-+/g, '-')
  return `lockstep-${readable}-${hash}-`
}

/**
 * What the function may do to this one instance or cluster, and to its own snapshots. Only reading goes further: RDS
 * checks a list against the name `*`.
 */
export function grantRdsSnapshots(scope: Construct, server: RdsServer, grantee: iam.IGrantable): void {
  const arn = (resource: string, resourceName: string): string =>
    Stack.of(scope).formatArn({ service: 'rds', resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME })
  const isInstance = server.kind === 'instance'
  const snapshots = isInstance ? 'snapshot' : 'cluster-snapshot'
  const database = arn(isInstance ? 'db' : 'cluster', server.identifier)
  const own = arn(snapshots, `${server.snapshotPrefix}*`)
  const action = (verb: string, noun: string): string => `rds:${verb}DB${isInstance ? '' : 'Cluster'}${noun}`
  const statements = [
    new iam.PolicyStatement({ actions: [action('Create', 'Snapshot')], resources: [database, own] }),
    new iam.PolicyStatement({ actions: [action('Delete', 'Snapshot'), 'rds:AddTagsToResource'], resources: [own] }),
    new iam.PolicyStatement({
      actions: [action('Describe', 'Snapshots')],
      resources: [database, arn(snapshots, '*')],
    }),
  ]
  for (const statement of statements) grantee.grantPrincipal.addToPrincipalPolicy(statement)
}
