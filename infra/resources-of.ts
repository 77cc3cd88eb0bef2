import { CfnResource } from 'aws-cdk-lib'
import { Dependable, type IConstruct, type IDependable } from 'constructs'

/**
 * The CloudFormation resources of some types inside a construct, including those added to it later.
 *
 * To depend on a whole construct takes in what others put there, such as the security-group rule of a service that
 * must itself wait for the migration: CloudFormation refuses that as a cycle.
 */
export function resourcesOf(scope: IConstruct, types: readonly string[]): IDependable {
  const resources: IDependable = {}
  Dependable.implement(resources, {
    get dependencyRoots(): IConstruct[] {
      return scope.node.findAll().filter((child) => CfnResource.isCfnResource(child) && isOneOf(child, types))
    },
  })
  return resources
}

function isOneOf({ cfnResourceType }: CfnResource, types: readonly string[]): boolean {
  return types.includes(cfnResourceType)
}
