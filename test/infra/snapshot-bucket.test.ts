import { Duration } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import * as kms from 'aws-cdk-lib/aws-kms'
import { beforeAll, describe, expect, it } from 'vitest'
import { Snapshot, type LogicalSnapshotProps } from '../../infra/index.ts'
import { createMigration, createStack, soleResource, synthesize, type TemplateResource } from './fixtures.ts'

function bucketOf(props: LogicalSnapshotProps): TemplateResource {
  return soleResource(synthesize({ snapshot: Snapshot.logical(props) }), 'AWS::S3::Bucket')[1]
}

describe('the snapshot bucket', () => {
  let template: Template
  let bucket: TemplateResource

  beforeAll(() => {
    template = synthesize()
    bucket = soleResource(template, 'AWS::S3::Bucket')[1]
  })

  it('is private', () => {
    expect(bucket.Properties).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    })
  })

  it('is encrypted with a key of its own that rotates', () => {
    const [id, key] = soleResource(template, 'AWS::KMS::Key')
    const byDefault = { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: { 'Fn::GetAtt': [id, 'Arn'] } }
    expect(key.Properties).toMatchObject({ EnableKeyRotation: true })
    expect(bucket.Properties.BucketEncryption).toEqual({
      ServerSideEncryptionConfiguration: [{ BucketKeyEnabled: true, ServerSideEncryptionByDefault: byDefault }],
    })
  })

  it('refuses requests without TLS', () => {
    const [, policy] = soleResource(template, 'AWS::S3::BucketPolicy')
    const withoutTls = {
      Effect: 'Deny',
      Action: 's3:*',
      Principal: { AWS: '*' },
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    }
    expect(policy.Properties.PolicyDocument).toMatchObject({
      Statement: expect.arrayContaining([expect.objectContaining(withoutTls)]),
    })
  })

  it('keeps versions, and everything for 30 days', () => {
    expect(bucket.Properties).toMatchObject({
      VersioningConfiguration: { Status: 'Enabled' },
      LifecycleConfiguration: {
        Rules: [
          {
            Status: 'Enabled',
            ExpirationInDays: 30,
            NoncurrentVersionExpiration: { NoncurrentDays: 30 },
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
          },
          { Status: 'Enabled', ExpiredObjectDeleteMarker: true },
        ],
      },
    })
  })

  it('outlives the stack, with its key', () => {
    expect(bucket).toMatchObject({ DeletionPolicy: 'Retain' })
    expect(soleResource(template, 'AWS::KMS::Key')[1]).toMatchObject({ DeletionPolicy: 'Retain' })
  })
})

describe('the retention of snapshots', () => {
  it('is as long as is asked for', () => {
    expect(bucketOf({ expireAfter: Duration.days(90) }).Properties).toMatchObject({
      LifecycleConfiguration: {
        Rules: [{ ExpirationInDays: 90, NoncurrentVersionExpiration: { NoncurrentDays: 90 } }, {}],
      },
    })
  })

  it('leaves every current version to the function where the newest are to stay, but for the record of runs', () => {
    expect(bucketOf({ keepLast: 10, expireAfter: Duration.days(7) }).Properties.LifecycleConfiguration).toEqual({
      Rules: [
        {
          Id: 'expire-deleted',
          Status: 'Enabled',
          NoncurrentVersionExpiration: { NoncurrentDays: 7 },
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
        },
        { Id: 'expire-intents', Status: 'Enabled', Prefix: 'lockstep/Shop/default/intents/', ExpirationInDays: 30 },
        { Id: 'clean-up', Status: 'Enabled', ExpiredObjectDeleteMarker: true },
      ],
    })
  })

  it.each([
    [undefined, 'GOVERNANCE'],
    ['governance', 'GOVERNANCE'],
    ['compliance', 'COMPLIANCE'],
  ] as const)('is enforced by a lock (%s)', (lockMode, Mode) => {
    const lock = lockMode === undefined ? {} : { lockMode }
    expect(bucketOf({ lockFor: Duration.days(14), ...lock }).Properties).toMatchObject({
      ObjectLockEnabled: true,
      ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Days: 14, Mode } } },
    })
  })

  it('locks nothing by itself', () => {
    expect(bucketOf({}).Properties).not.toHaveProperty('ObjectLockEnabled')
  })
})

describe('a key that is brought along', () => {
  it('encrypts the bucket, and the function may use it', () => {
    // GIVEN
    const stack = createStack()
    const arn = 'arn:aws:kms:eu-central-1:111122223333:key/own'

    // WHEN
    createMigration(stack, { encryptionKey: kms.Key.fromKeyArn(stack, 'Own', arn) })

    // THEN
    const template = Template.fromStack(stack)
    template.resourceCountIs('AWS::KMS::Key', 0)
    const byDefault = { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: arn }
    expect(soleResource(template, 'AWS::S3::Bucket')[1].Properties.BucketEncryption).toEqual({
      ServerSideEncryptionConfiguration: [{ BucketKeyEnabled: true, ServerSideEncryptionByDefault: byDefault }],
    })
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { LOCKSTEP_SNAPSHOT_KEY: arn } },
    })
  })
})
