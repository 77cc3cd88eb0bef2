import type * as lambda from 'aws-cdk-lib/aws-lambda'
import type { IDependable } from 'constructs'
import type { DatabaseTarget } from './database-target.ts'
import { resourcesOf } from './resources-of.ts'

/** Without these a function in an isolated subnet waits for Secrets Manager until it is killed. */
const ROUTES = ['AWS::EC2::VPCEndpoint']

/** Opens the database to the function. Gives what must exist before the function can reach it. */
export function allowNetworkAccess(target: DatabaseTarget, fn: lambda.Function): readonly IDependable[] {
  const groups = [...target.connections.securityGroups, ...fn.connections.securityGroups]
  const before = new Set(groups.flatMap((group) => group.node.children))
  // From the function's side: CDK then puts both rules into its stack. A rule in the database's stack would make that
  // depend on this one, which depends on it.
  fn.connections.allowTo(target.connections, target.port, 'Lockstep migrates the database')
  const rules = groups.flatMap((group) => group.node.children).filter((child) => !before.has(child))
  return [...rules, resourcesOf(target.vpc, ROUTES)]
}
