import { Duration, Names, RemovalPolicy, Stack } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as kms from 'aws-cdk-lib/aws-kms'
import * as s3 from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'

const KEPT_FOR = Duration.days(30)

/** A folder of a bucket that belongs to one set of migrations. */
export interface SnapshotLocation {
  readonly bucket: s3.IBucket
  /** Without slashes at its ends. */
  readonly prefix: string
}

/**
 * The bucket for snapshots and for the record of runs under way. Outlives the stack: a snapshot is worth most when
 * everything else is gone.
 */
export function createSnapshotBucket(scope: Construct): s3.IBucket {
  const encryptionKey = new kms.Key(scope, 'SnapshotKey', {
    description: `Database snapshots of ${scope.node.path}`,
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.RETAIN,
  })
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
    lifecycleRules: [
      {
        id: 'expire',
        expiration: KEPT_FOR,
        noncurrentVersionExpiration: KEPT_FOR,
        abortIncompleteMultipartUploadAfter: Duration.days(1),
      },
      // S3 does not take this together with an expiration.
      { id: 'clean-up', expiredObjectDeleteMarker: true },
    ],
  })
  // CDK's class and its interface differ in an undefined that only exactOptionalPropertyTypes sees.
  return bucket as s3.IBucket
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
