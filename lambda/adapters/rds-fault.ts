import { messageOf } from '../errors.ts'
import { Fault } from '../snapshot/fault.ts'
import { NotAvailableFault } from '../snapshot/storage-service.ts'
import type { RdsDatabase } from './rds.ts'

/** There is no snapshot of that id. */
export function isMissingSnapshot(error: unknown): boolean {
  return /^DB(Cluster)?SnapshotNotFound(Fault)?$/.test(nameOf(error))
}

/** There is one already. */
export function isSnapshotThere(error: unknown): boolean {
  return /^DB(Cluster)?SnapshotAlreadyExists(Fault)?$/.test(nameOf(error))
}

/** What RDS or the way to it answered, in words that say what to do. */
export function rdsFault(error: unknown, { kind, identifier, doing }: RdsDatabase & { readonly doing: string }): Error {
  if (error instanceof Fault) return error
  const server = `${kind} "${identifier}"`
  const failed = `cannot ${doing}: ${messageOf(error)}`
  switch (nameOf(error).replace(/Fault$/, '')) {
    case 'InvalidDBInstanceState':
    case 'InvalidDBClusterState':
      return new NotAvailableFault(failed, `Wait until the ${server} is "available", and try again.`, error)
    case 'DBInstanceNotFound':
    case 'DBClusterNotFound':
      return new Fault(
        failed,
        `Check that the ${server} is in the function's region; an instance of an Aurora cluster has no snapshots of its own: give the cluster.`,
        error,
      )
    case 'SnapshotQuotaExceeded':
    case 'DBClusterSnapshotQuotaExceeded':
      return new Fault(failed, 'Delete snapshots that are not needed, or have the quota of the region raised.', error)
    case 'KMSKeyNotAccessible':
      return new Fault(failed, `Enable the key that the ${server} is encrypted with.`, error)
    case 'AccessDenied':
    case 'AccessDeniedException':
    case 'UnauthorizedOperation':
      return new Fault(
        failed,
        'Grant the function what Snapshot.rds() of the construct grants it; a service control policy or a permission boundary may be in the way.',
        error,
      )
    default:
      return isNetworkError(error) ? unreachable(failed, error) : new Error(failed, { cause: error })
  }
}

const NETWORK = /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EPIPE|EHOSTUNREACH)$/

function isNetworkError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return nameOf(error) === 'TimeoutError' || NETWORK.test(code)
}

function unreachable(failed: string, error: unknown): Fault {
  return new Fault(
    failed,
    'Check that the function reaches RDS: in an isolated subnet it needs the VPC endpoint com.amazonaws.<region>.rds.',
    error,
  )
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : ''
}
