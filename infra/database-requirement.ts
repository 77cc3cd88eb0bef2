import { CustomResource, Duration } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import type { RequirementResourceProperties } from '../lambda/contract.ts'
import { invalidProperty } from './synthesis-error.ts'

/** Properties of a requirement on a database that another stack migrates. */
export interface DatabaseRequirementProps {
  /** `serviceToken` of the other stack's `DatabaseMigration`. */
  readonly serviceToken: string

  /** Id of the migration that must be applied. */
  readonly require: string

  /**
   * The set that the migration belongs to.
   *
   * @default 'default'
   */
  readonly set?: string
}

const SERVICE_TIMEOUT = Duration.minutes(15)

export function createRequirement(scope: Construct, id: string, props: DatabaseRequirementProps): CustomResource {
  const { serviceToken, require, set = 'default' } = props
  if (require === '') throw invalidProperty(scope, '"require" is empty.', 'Give the id of a migration.')
  const properties: RequirementResourceProperties = { require, set }
  return new CustomResource(scope, id, {
    serviceToken,
    resourceType: 'Custom::DatabaseRequirement',
    serviceTimeout: SERVICE_TIMEOUT,
    properties: { ...properties },
  })
}
