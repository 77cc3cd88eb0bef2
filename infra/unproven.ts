import { Annotations } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import type { Policy } from '../lambda/analysis-contract.ts'
import { readPolicyFile } from '../lambda/engine/policy/policy-file.ts'
import { resolvePolicy, type PolicySettings } from '../lambda/engine/policy/policy.ts'
import type { MigrationSet } from './migration-set.ts'

const MOST_NAMED = 5

/**
 * Warns of the newest migrations that the policy would refuse because nobody has tried or looked at them as they are.
 * No error: synth does not know which of them are applied already.
 */
export function warnOfUnproven(scope: Construct, migrations: MigrationSet, settings: PolicySettings = {}): void {
  const { policy } = resolvePolicy([readPolicyFile(migrations.directory), { source: 'property', settings }])
  const ids = newestUnknown(migrations, policy)
  if (ids.length === 0) return
  const more = ids.length > MOST_NAMED ? `, and ${ids.length - MOST_NAMED} before` : ''
  const commands = [
    ...(policy.requireProof ? ['"lockstep prove --write"'] : []),
    ...(policy.hazards === 'refuse' ? ['"lockstep lint --write"'] : []),
  ]
  Annotations.of(scope).addWarningV2(
    'cdk-lockstep:not-proven',
    `The policy refuses what nobody has tried and looked at as it is now: ${ids.slice(-MOST_NAMED).join(', ')}${more}. What of it is not applied yet fails the deployment. Run ${commands.join(' and ')}, and synthesize again.`,
  )
}

/** Those behind the last one that is known: what comes before is most likely applied. */
function newestUnknown({ ordered, manifest }: MigrationSet, { requireProof, hazards }: Policy): readonly string[] {
  const isKnown = (id: string): boolean => {
    const analysis = manifest.migrations.find((entry) => entry.id === id)?.analysis
    const isTried = !requireProof || (analysis?.proof ?? null) !== null
    const isLookedAt = hazards !== 'refuse' || (analysis?.hazards ?? null) !== null
    return isTried && isLookedAt
  }
  const ids = ordered.map(({ migration }) => migration.id)
  return ids.slice(ids.findLastIndex(isKnown) + 1)
}
