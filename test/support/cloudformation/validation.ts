import type { StackResources } from './resource.ts'
import { circular } from './schedule.ts'
import { dependencyGraph, unresolvedNames, type Template } from './template.ts'

/**
 * Refuses what CloudFormation refuses before it begins. "You can't change the type during an update":
 * crpg-ref-requesttypes-update.html. The messages are CloudFormation's.
 */
export function refuseInvalid(template: Template, standing: StackResources): void {
  const changed = [...standing.values()].filter(({ logicalId, type }) => {
    const wanted = template.Resources[logicalId]?.Type
    return wanted !== undefined && wanted !== type
  })
  if (changed.length > 0) {
    const ids = changed.map(({ logicalId }) => logicalId).join(', ')
    throw new Error(
      `Update of resource type is not permitted. The new template modifies resource type of the following resources: [${ids}]`,
    )
  }
  const unresolved = unresolvedNames(template)
  if (unresolved.length > 0) {
    throw new Error(
      `Template format error: Unresolved resource dependencies [${unresolved.join(', ')}] in the Resources block of the template`,
    )
  }
  const inCircle = circular(dependencyGraph(template))
  if (inCircle.length > 0) throw new Error(`Circular dependency between resources: [${inCircle.join(', ')}]`)
}

/** "You can specify only resources that are in the UPDATE_FAILED state because a rollback failed": API_ContinueUpdateRollback.html. */
export function refuseSkips(skip: readonly string[], notRolledBack: readonly string[]): void {
  const wrong = skip.filter((logicalId) => !notRolledBack.includes(logicalId))
  if (wrong.length > 0) throw new Error(`Only what could not be rolled back can be skipped; got ${wrong.join(', ')}.`)
}
