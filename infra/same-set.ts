import { Stack } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import { addressOf, type DatabaseTarget } from './database-target.ts'
import type { SnapshotLocation } from './snapshot-bucket.ts'
import { invalidProperty } from './synthesis-error.ts'

export interface Claim {
  readonly set: string
  readonly historySchema: string
  readonly target: DatabaseTarget
  readonly databaseName: string | undefined
  readonly location: SnapshotLocation
}

interface Claimed {
  readonly path: string
  /** Names the history: its server and database as far as they are known, its schema and set. */
  readonly history: string
  /** Names the folder that the function takes for its own: its bucket, prefix and database. */
  readonly folder: string
}

const claims = new WeakMap<Stack, readonly Claimed[]>()

/**
 * Refuses a second migration of the same set in a stack, where it would not be the only one of its history, or of its
 * folder in the bucket, from which it deletes old snapshots.
 *
 * @throws SynthesisError
 */
export function refuseSameSet(scope: Construct, claim: Claim): void {
  const stack = Stack.of(scope)
  const others = claims.get(stack) ?? []
  const own = claimedBy(scope, stack, claim)
  const asThatOf = ({ path }: Claimed): string => `"set" is "${claim.set}", as that of ${path} is,`
  const rival = others.find(({ history }) => history === own.history)
  if (rival !== undefined) {
    const problem = `${asThatOf(rival)} which migrates the same database.`
    throw invalidProperty(scope, problem, 'Give each a "set" of its own, or put the migrations into one directory.')
  }
  const neighbour = others.find(({ folder }) => folder === own.folder)
  if (neighbour !== undefined) {
    const problem = `${asThatOf(neighbour)} whose snapshots are in the same folder of the same bucket.`
    throw invalidProperty(scope, problem, 'Give one of them another "set", or a "snapshotBucket" of its own.')
  }
  claims.set(stack, [...others, own])
}

function claimedBy(scope: Construct, stack: Stack, claim: Claim): Claimed {
  const { set, historySchema, target, databaseName, location } = claim
  // Tokens of the same value are not always the same text.
  const named = (...parts: readonly (string | undefined)[]): string => JSON.stringify(stack.resolve(parts))
  return {
    path: scope.node.path,
    history: named(addressOf(target, databaseName), target.secret.secretArn, historySchema, set),
    folder: named(location.bucket.bucketName, location.prefix, databaseName),
  }
}
