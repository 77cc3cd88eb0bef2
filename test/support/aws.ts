/** The account in which the tests' cloud lives. */
export const AWS = { partition: 'aws', region: 'eu-central-1', account: '111122223333' } as const

/** An ARN in the tests' account. */
export function arn(service: string, resource: string): string {
  return `arn:${AWS.partition}:${service}:${AWS.region}:${AWS.account}:${resource}`
}
