import { messageOf } from '../errors.ts'
import { Fault, MissingObjectFault } from '../snapshot/fault.ts'

/** What S3 or the way to it answered, in words that say what to do. */
export function s3Fault(error: unknown, bucket: string, doing: string): Error {
  if (error instanceof Fault) return error
  if (!(error instanceof Error)) return new Error(messageOf(error), { cause: error })
  const failed = `cannot ${doing} in bucket "${bucket}"`
  switch (error.name) {
    case 'NoSuchBucket':
      return new Fault(`bucket "${bucket}" does not exist.`, 'Create the bucket, or correct its name.', error)
    case 'NoSuchKey':
    case 'NotFound':
      return missingObject(error, bucket, doing)
    case 'AccessDenied':
    case 'AllAccessDisabled':
      return denied(error, failed)
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
      return new Fault(`${failed}: it is in another region.`, "Configure the client with the bucket's region.", error)
    case 'CredentialsProviderError':
    case 'ExpiredToken':
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch':
      return new Fault(`${failed}: ${error.message}`, 'Provide valid AWS credentials.', error)
    default:
      return isNetworkError(error) ? unreachable(error, failed) : error
  }
}

/** There is no such object, whatever S3 said. */
export function missingObject(error: unknown, bucket: string, doing: string): MissingObjectFault {
  const failed = `cannot ${doing} in bucket "${bucket}"`
  return new MissingObjectFault(`${failed}: there is no such object.`, 'Use another snapshot.', error)
}

/** S3 says so as well of an object that is not there, to whom it does not let list the whole bucket. */
export function isDenied(error: unknown): boolean {
  return error instanceof Error && error.name === 'AccessDenied'
}

function denied(error: Error, failed: string): Fault {
  const remedy = /kms:/i.test(error.message)
    ? 'Allow kms:GenerateDataKey and kms:Decrypt on the key to the role that Lockstep runs as.'
    : 'Allow s3:PutObject, s3:GetObject, s3:DeleteObject, s3:AbortMultipartUpload and s3:ListBucket on the bucket and prefix to the role that Lockstep runs as.'
  return new Fault(`${failed}: access denied (${error.message}).`, remedy, error)
}

const NETWORK = /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EPIPE|EHOSTUNREACH)$/

function isNetworkError(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : ''
  return error.name === 'TimeoutError' || NETWORK.test(code)
}

function unreachable(error: Error, failed: string): Fault {
  return new Fault(
    `${failed}: ${messageOf(error)}`,
    'Check that S3 can be reached from here: in isolated subnets it takes a gateway endpoint for S3.',
    error,
  )
}
