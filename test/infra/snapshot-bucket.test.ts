import type { Template } from 'aws-cdk-lib/assertions'
import { beforeAll, describe, expect, it } from 'vitest'
import { soleResource, synthesize, type TemplateResource } from './fixtures.ts'

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
