import {
  DRIFT_POLICIES,
  ENVIRONMENTS,
  HAZARD_POLICIES,
  type EnvironmentName,
  type Policy,
  type PolicySource,
  type ResolvedPolicy,
} from '../../analysis-contract.ts'
import { LockstepError, UNTOUCHED } from '../../errors.ts'

/** What each environment demands. */
export const PRESETS: { readonly [E in EnvironmentName]: Policy } = {
  development: {
    hazards: 'warn',
    requireProof: false,
    requireSnapshot: false,
    confirmDowns: false,
    onDrift: 'ignore',
  },
  staging: { hazards: 'warn', requireProof: false, requireSnapshot: false, confirmDowns: true, onDrift: 'warn' },
  production: { hazards: 'refuse', requireProof: true, requireSnapshot: true, confirmDowns: true, onDrift: 'warn' },
}

/** Switches that were set, and where. */
export interface PolicyLayer {
  readonly source: PolicySource
  readonly settings: PolicySettings
}

export type PolicySettings = Partial<Policy> & { readonly environment?: EnvironmentName }

const SWITCHES = ['hazards', 'requireProof', 'requireSnapshot', 'confirmDowns', 'onDrift'] as const

/** Where no environment is named, nothing is demanded: what ran before there was a policy runs on. */
const NO_ENVIRONMENT = PRESETS.development

/**
 * The policy of a run. A switch that is set by itself goes before the preset of the environment, and of two layers the
 * later one counts. Pure.
 *
 * @param layers - the weakest first
 */
export function resolvePolicy(layers: readonly PolicyLayer[]): ResolvedPolicy {
  const named = layers.findLast(({ settings }) => settings.environment !== undefined)
  const environment = named?.settings.environment ?? null
  const preset = environment === null ? NO_ENVIRONMENT : PRESETS[environment]
  const presetSource: PolicySource = environment === null ? 'default' : 'preset'
  const set = SWITCHES.map((name) => {
    const layer = layers.findLast(({ settings }) => settings[name] !== undefined)
    return { name, value: layer?.settings[name] ?? preset[name], source: layer?.source ?? presetSource }
  })
  return {
    environment,
    policy: Object.fromEntries(set.map(({ name, value }) => [name, value])) as unknown as Policy,
    sources: {
      environment: named?.source ?? 'default',
      ...(Object.fromEntries(set.map(({ name, source }) => [name, source])) as {
        readonly [K in keyof Policy]: PolicySource
      }),
    },
  }
}

/** Nothing is demanded. */
export const NO_POLICY: ResolvedPolicy = resolvePolicy([])

/** Values of the switches that are words. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  environment: ENVIRONMENTS,
  hazards: HAZARD_POLICIES,
  onDrift: DRIFT_POLICIES,
}

/**
 * Reads switches from a document.
 *
 * @throws LockstepError `CONFIG_INVALID` for an unknown switch or value.
 */
export function parsePolicySettings(document: unknown, where: string): PolicySettings {
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw invalid(where, 'it is no object')
  for (const [name, value] of Object.entries(document)) {
    const words = WORDS[name]
    const isSwitch = name === 'environment' || SWITCHES.some((known) => known === name)
    if (!isSwitch) throw invalid(where, `"${name}" is not known`)
    const isValid = words === undefined ? typeof value === 'boolean' : words.some((word) => word === value)
    if (!isValid)
      throw invalid(where, `"${name}" is ${JSON.stringify(value)}; give ${(words ?? ['true', 'false']).join(', ')}`)
  }
  return document
}

function invalid(where: string, problem: string): LockstepError {
  return new LockstepError({
    code: 'CONFIG_INVALID',
    message: `The policy in ${where} cannot be used: ${problem}.`,
    state: UNTOUCHED,
    remedy: `Switches: environment (${ENVIRONMENTS.join(', ')}), ${SWITCHES.join(', ')}.`,
  })
}
