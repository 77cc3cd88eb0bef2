import { LockstepError, UNTOUCHED } from '../errors.ts'

const ARN = /^arn:[^:]+:rds:([^:]*):[^:]*:(cluster-)?snapshot:(.+)$/

/**
 * A storage-level snapshot cannot be put into a server that runs: it becomes a new one.
 *
 * @throws LockstepError `CONFIG_INVALID` for the ARN of one, with the commands that restore it.
 */
export function refuseStorageSnapshot(uri: string): void {
  const [, region = '', cluster, id = ''] = ARN.exec(uri) ?? []
  if (id === '') return
  throw new LockstepError({
    code: 'CONFIG_INVALID',
    message: `${uri} is a snapshot of ${cluster === undefined ? "an instance's" : "a cluster's"} storage: RDS restores it into a new ${cluster === undefined ? 'instance' : 'cluster'}, not in place.`,
    state: UNTOUCHED,
    remedy: `Restore it with: ${cluster === undefined ? instanceCommand(region, id) : clusterCommands(region, id)}. Then point the applications to it, or copy from it what is needed.`,
  })
}

function instanceCommand(region: string, id: string): string {
  return `aws rds restore-db-instance-from-db-snapshot --region ${region} --db-snapshot-identifier ${id} --db-instance-identifier <new name> --db-subnet-group-name <as the old one> --vpc-security-group-ids <as the old one>`
}

function clusterCommands(region: string, id: string): string {
  return `aws rds restore-db-cluster-from-snapshot --region ${region} --snapshot-identifier ${id} --db-cluster-identifier <new name> --engine <as the old one> --db-subnet-group-name <as the old one> --vpc-security-group-ids <as the old one>, and for an Aurora cluster: aws rds create-db-instance --region ${region} --db-cluster-identifier <new name> --db-instance-identifier <new name>-1 --engine <as the old one> --db-instance-class <as the old one>`
}
