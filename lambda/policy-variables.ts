import type { Policy, PolicySource } from './analysis-contract.ts'
import type { PolicyLayer, PolicySettings } from './engine/policy/policy.ts'
import { parsePolicySettings } from './engine/policy/policy.ts'

/** Environment variables of the policy's switches. */
export const POLICY_VARIABLES = {
  environment: 'LOCKSTEP_ENVIRONMENT',
  hazards: 'LOCKSTEP_HAZARDS',
  requireProof: 'LOCKSTEP_REQUIRE_PROOF',
  requireSnapshot: 'LOCKSTEP_REQUIRE_SNAPSHOT',
  confirmDowns: 'LOCKSTEP_CONFIRM_DOWNS',
  onDrift: 'LOCKSTEP_ON_DRIFT',
} as const satisfies { readonly [K in 'environment' | keyof Policy]: string }

const FLAGS = new Set<string>(['requireProof', 'requireSnapshot', 'confirmDowns'])
const YES = new Set(['true', '1', 'yes', 'on'])
const NO = new Set(['false', '0', 'no', 'off'])

/**
 * The switches that the environment's variables set; one that is blank counts as not set. Pure.
 *
 * @throws LockstepError `CONFIG_INVALID` naming the switch and the value received.
 */
export function policyFromVariables(
  variables: Readonly<Record<string, string | undefined>>,
  source: PolicySource,
): PolicyLayer {
  const entries = Object.entries(POLICY_VARIABLES).flatMap(([name, variable]) => {
    const text = variables[variable]?.trim() ?? ''
    return text === '' ? [] : [[name, FLAGS.has(name) ? flagOf(text) : text] as const]
  })
  return { source, settings: parsePolicySettings(Object.fromEntries(entries), 'the environment variables') }
}

/** Whatever is no flag stays as it is, and is refused by its value. */
function flagOf(text: string): boolean | string {
  const word = text.toLowerCase()
  return YES.has(word) || (NO.has(word) ? false : text)
}

/** The variables that say the same as these switches. */
export function policyVariables(settings: PolicySettings): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) =>
      value === undefined ? [] : [[POLICY_VARIABLES[name as keyof typeof POLICY_VARIABLES], String(value)]],
    ),
  )
}
