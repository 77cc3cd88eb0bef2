import { engineContext, runRequest } from './actions.ts'
import type { MigrationResourceProperties, RequirementResourceProperties, RunResult } from './contract.ts'
import { deploy } from './engine/deploy.ts'
import { history, status } from './engine/inspect.ts'
import { errorOf, LockstepError, UNTOUCHED } from './errors.ts'
import type { Lockstep } from './lockstep.ts'

/** CloudFormation's event, as the Provider framework passes it on. Every property is a text. */
export interface CustomResourceEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete'
  readonly RequestId: string
  readonly StackId: string
  readonly LogicalResourceId: string
  readonly PhysicalResourceId?: string
  readonly ResourceProperties: Readonly<Record<string, unknown>>
  readonly OldResourceProperties?: Readonly<Record<string, unknown>>
}

/** What the Provider framework takes. To fail, throw: it ignores a status. */
export interface CustomResourceResponse {
  readonly PhysicalResourceId: string
  readonly Data?: Readonly<Record<string, string>>
}

export function isCustomResourceEvent(event: unknown): event is CustomResourceEvent {
  return typeof event === 'object' && event !== null && 'RequestType' in event && 'ResourceProperties' in event
}

/**
 * Answers CloudFormation. Create and Update bring the database to where the deployment is; Delete never touches it.
 *
 * @throws LockstepError, which fails the deployment and rolls it back
 */
export async function onEvent(lockstep: Lockstep, event: CustomResourceEvent): Promise<CustomResourceResponse> {
  const requirement = requirementOf(event)
  // Constant: a changed id would make CloudFormation send a Delete for the old one.
  const id = `lockstep:${lockstep.config.set}${requirement === null ? '' : ':requirement'}`
  if (event.RequestType === 'Delete') return { PhysicalResourceId: event.PhysicalResourceId ?? id }
  if (requirement !== null) return { PhysicalResourceId: id, Data: await meet(lockstep, requirement) }
  const result = lockstep.config.autoApply ? await run(lockstep, event) : await report(lockstep)
  return { PhysicalResourceId: id, Data: result }
}

function requirementOf(event: CustomResourceEvent): RequirementResourceProperties | null {
  const { require: required, set } = event.ResourceProperties
  return typeof required === 'string' ? { require: required, set: typeof set === 'string' ? set : '' } : null
}

async function run(lockstep: Lockstep, event: CustomResourceEvent): Promise<Readonly<Record<string, string>>> {
  const properties = migrationProperties(event.ResourceProperties)
  const old = event.RequestType === 'Update' ? event.OldResourceProperties : undefined
  const result = await deploy(engineContext(lockstep, 'deployment'), {
    ...runRequest(lockstep, event.RequestId),
    resource: `${event.StackId}/${event.LogicalResourceId}`,
    target: properties.migrations,
    previousTarget: old === undefined ? null : migrationProperties(old).migrations,
    onRollback: lockstep.config.onRollback,
    details: { requestType: event.RequestType, settings: properties.settings, heads: properties.heads },
  })
  if (result.error !== undefined) throw errorOf(result.error)
  return dataOf(result)
}

function dataOf(result: RunResult): Readonly<Record<string, string>> {
  return {
    Status: result.status,
    Current: result.current ?? '',
    Applied: String(result.applied.length),
    Reverted: String(result.reverted.length),
    Snapshot: result.snapshot ?? '',
    RunId: result.runId ?? '',
  }
}

/** With automatic application switched off, a deployment only says what is pending. */
async function report(lockstep: Lockstep): Promise<Readonly<Record<string, string>>> {
  const found = await status(engineContext(lockstep), lockstep.readMigrations())
  lockstep.log.warn('automatic application is off; nothing was applied', { pending: found.pending })
  return { Status: 'pending', Current: found.current ?? '', Pending: String(found.pending.length) }
}

async function meet(
  lockstep: Lockstep,
  requirement: RequirementResourceProperties,
): Promise<Readonly<Record<string, string>>> {
  const { set } = lockstep.config
  if (requirement.set !== '' && requirement.set !== set) {
    throw new LockstepError({
      code: 'CONFIG_INVALID',
      message: `The requirement is on the set "${requirement.set}", but this function migrates the set "${set}".`,
      state: UNTOUCHED,
      remedy: 'Give the service token of the DatabaseMigration with that set.',
    })
  }
  const { current, applied } = await appliedIds(lockstep)
  if (applied.has(requirement.require)) return { Current: current ?? '' }
  throw new LockstepError({
    code: 'REQUIREMENT_NOT_MET',
    message: `The database does not have the migration "${requirement.require}" that this stack requires: it is ${current === null ? 'without any migration' : `at ${current}`}.`,
    state: UNTOUCHED,
    remedy: 'Deploy the stack that migrates the database first, then this one again.',
    migration: requirement.require,
  })
}

async function appliedIds(lockstep: Lockstep) {
  const { migrations } = await history(engineContext(lockstep))
  return { current: migrations.at(-1)?.id ?? null, applied: new Set(migrations.map((entry) => entry.id)) }
}

function migrationProperties(properties: Readonly<Record<string, unknown>>): MigrationResourceProperties {
  const text = (name: keyof MigrationResourceProperties): string => {
    const value = properties[name]
    return typeof value === 'string' ? value : ''
  }
  return { set: text('set'), migrations: text('migrations'), settings: text('settings'), heads: text('heads') }
}
