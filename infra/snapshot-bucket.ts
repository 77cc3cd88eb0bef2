import { Duration, Names, RemovalPolicy, Stack } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as kms from 'aws-cdk-lib/aws-kms'
import * as s3 from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import type { Retention } from './snapshot-settings.ts'

/** A folder of a bucket that belongs to one set of migrations. */
export interface SnapshotLocation {
  readonly bucket: s3.IBucket
  /** Without slashes at its ends. */
  readonly prefix: string
}

export interface SnapshotBucketOptions {
  /** The folder that the function will use. */
  readonly prefix: string
  readonly retention: Retention
  /** @default - a new one, that rotates and outlives the stack */
  readonly encryptionKey?: kms.IKey | undefined
}

/** The record of a run under way is of use for as long as its deployment can be rolled back. */
const INTENTS_KEPT_FOR = Duration.days(30)

/**
 * The bucket for snapshots and for the record of runs under way. Outlives the stack: a snapshot is worth most when
 * everything else is gone.
 */
export function createSnapshotBucket(scope: Construct, options: SnapshotBucketOptions): s3.IBucket {
  const encryptionKey = options.encryptionKey ?? createKey(scope)
  const { lock } = options.retention
  const bucket = new s3.Bucket(scope, 'SnapshotBucket', {
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    encryption: s3.BucketEncryption.KMS,
    encryptionKey,
    bucketKeyEnabled: true,
    versioned: true,
    removalPolicy: RemovalPolicy.RETAIN,
    lifecycleRules: lifecycleRules(options),
    ...(lock === undefined ? {} : { objectLockDefaultRetention: defaultRetention(lock) }),
  })
  // CDK's class and its interface differ in an undefined that only exactOptionalPropertyTypes sees.
  return bucket as s3.IBucket
}

function createKey(scope: Construct): kms.IKey {
  return new kms.Key(scope, 'SnapshotKey', {
    description: `Database snapshots of ${scope.node.path}`,
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.RETAIN,
  })
}

/** Where the function chooses what is too old, the bucket only clears up after it. */
function lifecycleRules({ prefix, retention }: SnapshotBucketOptions): s3.LifecycleRule[] {
  const keptFor = Duration.days(retention.expireAfter)
  const cleanUp: s3.LifecycleRule = {
    noncurrentVersionExpiration: keptFor,
    abortIncompleteMultipartUploadAfter: Duration.days(1),
  }
  return [
    ...(retention.byFunction
      ? [
          { id: 'expire-deleted', ...cleanUp },
          { id: 'expire-intents', prefix: `${prefix}/intents/`, expiration: INTENTS_KEPT_FOR },
        ]
      : [{ id: 'expire', expiration: keptFor, ...cleanUp }]),
    // S3 does not take this together with an expiration.
    { id: 'clean-up', expiredObjectDeleteMarker: true },
  ]
}

function defaultRetention({ mode, days }: NonNullable<Retention['lock']>): s3.ObjectLockRetention {
  return mode === 'compliance'
    ? s3.ObjectLockRetention.compliance(Duration.days(days))
    : s3.ObjectLockRetention.governance(Duration.days(days))
}

/** A prefix that stacks can share a bucket by: stable over deployments, free of tokens. */
export function snapshotPrefix(scope: Construct, set: string): string {
  const stack = Names.uniqueResourceName(Stack.of(scope), { separator: '-', maxLength: 100 })
  return `lockstep/${stack}/${set}`
}

/** Access to the objects of one prefix, and to the bucket's key. */
export function grantSnapshots(grantee: iam.IGrantable, { bucket, prefix }: SnapshotLocation): void {
  const statements = [
    new iam.PolicyStatement({
      actions: ['s3:PutObject', 's3:GetObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
      resources: [bucket.arnForObjects(`${prefix}/*`)],
    }),
    new iam.PolicyStatement({
      actions: ['s3:ListBucket'],
      resources: [bucket.bucketArn],
      conditions: { StringLike: { 's3:prefix': `${prefix}/*` } },
    }),
  ]
  for (const statement of statements) grantee.grantPrincipal.addToPrincipalPolicy(statement)
  // Parts of a multipart upload are decrypted when they are put together.
  bucket.encryptionKey?.grant(grantee, 'kms:GenerateDataKey', 'kms:Decrypt')
}
