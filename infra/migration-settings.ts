import type { Construct } from 'constructs'
import type { FailurePolicy, RollbackPolicy, TlsMode, TransactionScope } from '../lambda/contract.ts'
import { parsePolicySettings, type PolicySettings } from '../lambda/engine/policy/policy.ts'
import { messageOf } from '../lambda/errors.ts'
import type { DatabaseMigrationProps } from './database-migration-props.ts'
import { defined } from './defined.ts'
import { digestOf } from './migration-set.ts'
import { snapshotSettings, type SnapshotSettings } from './snapshot-settings.ts'
import { invalidProperty } from './synthesis-error.ts'

/** What decides how a run behaves: a change to any of it is a reason to run. */
export interface MigrationSettings {
  readonly set: string
  readonly historySchema: string
  readonly transaction: TransactionScope
  readonly onRollback: RollbackPolicy
  readonly onFailure: FailurePolicy
  readonly snapshot: SnapshotSettings
  readonly autoApply: boolean
  readonly tls: TlsMode
  /** Only the switches that were given. */
  readonly policy?: PolicySettings
}

/**
 * The settings with their defaults.
 *
 * @throws SynthesisError for a value that would only fail at deployment.
 */
export function migrationSettings(scope: Construct, props: DatabaseMigrationProps): MigrationSettings {
  refuseInvalid(scope, props)
  return {
    set: props.set ?? 'default',
    historySchema: props.historySchema ?? 'lockstep',
    transaction: props.transaction ?? 'run',
    onRollback: props.onRollback ?? 'revert',
    onFailure: props.onFailure ?? 'revert',
    snapshot: snapshotSettings(scope, props),
    autoApply: props.autoApply ?? true,
    tls: props.tls ?? 'verify-full',
    ...policySettings(scope, props),
  }
}

function policySettings(
  scope: Construct,
  { environment, policy }: DatabaseMigrationProps,
): Pick<MigrationSettings, 'policy'> {
  const settings = defined({ environment, ...policy })
  if (Object.keys(settings).length === 0) return {}
  try {
    return { policy: parsePolicySettings(settings, '"environment" and "policy"') }
  } catch (error) {
    throw invalidProperty(scope, messageOf(error), 'Give switches and values that are known.')
  }
}

/**
 * The value that CloudFormation compares. The address stays outside of the digest, because it is known only at
 * deployment: a database that is replaced gets a new one, and the new database needs its migrations.
 */
export function settingsProperty(settings: MigrationSettings, address: string): string {
  return `${digestOf(settings)} ${address}`
}

function refuseInvalid(scope: Construct, { set, historySchema }: DatabaseMigrationProps): void {
  if (set !== undefined && !isName(set)) {
    throw invalidProperty(scope, `"set" is "${set}".`, 'Use 1 to 63 letters, digits, "-", "_" or ".".')
  }
  if (historySchema !== undefined && (!isName(historySchema) || /^(?:pg_|public$)/.test(historySchema))) {
    throw invalidProperty(
      scope,
      `"historySchema" is "${historySchema}".`,
      'Use 1 to 63 letters, digits, "-", "_" or ".", not beginning with "pg_", and not "public": it holds nothing else.',
    )
  }
}

function isName(text: string): boolean {
  return /^[\w.-]{1,63}$/.test(text)
}
