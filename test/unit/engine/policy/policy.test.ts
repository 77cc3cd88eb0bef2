import { expect, test } from 'vitest'
import { parsePolicySettings, PRESETS, resolvePolicy } from '../../../../lambda/engine/policy/policy.ts'
import { policyFromVariables, policyVariables } from '../../../../lambda/policy-variables.ts'

test('nothing is demanded where no environment is named', () => {
  const { environment, policy, sources } = resolvePolicy([])
  expect({ environment, policy }).toEqual({ environment: null, policy: PRESETS.development })
  expect(new Set(Object.values(sources))).toEqual(new Set(['default']))
})

test('a switch that is set by itself goes before the preset, whichever layer names the environment', () => {
  const { policy, sources } = resolvePolicy([
    { source: 'file', settings: { hazards: 'warn', requireProof: false } },
    { source: 'property', settings: { environment: 'production' } },
  ])
  expect(policy).toEqual({ ...PRESETS.production, hazards: 'warn', requireProof: false })
  expect(sources).toEqual({
    environment: 'property',
    hazards: 'file',
    requireProof: 'file',
    requireSnapshot: 'preset',
    confirmDowns: 'preset',
    onDrift: 'preset',
  })
})

test('the later of two layers counts, also for false and for the environment', () => {
  const { environment, policy, sources } = resolvePolicy([
    { source: 'file', settings: { environment: 'development', confirmDowns: true } },
    { source: 'environment variable', settings: { environment: 'production', confirmDowns: false } },
  ])
  expect(environment).toBe('production')
  expect(policy.confirmDowns).toBe(false)
  expect(sources.confirmDowns).toBe('environment variable')
})

test.each([
  [{ hazard: 'refuse' }, '"hazard" is not known'],
  [{ hazards: 'reject' }, '"hazards" is "reject"; give refuse, warn, ignore'],
  [{ requireProof: 'yes' }, '"requireProof" is "yes"; give true, false'],
  [{ environment: 'prod' }, '"environment" is "prod"; give development, staging, production'],
  [[], 'it is no object'],
])('refuses the switches %j', (settings, problem) => {
  expect(() => parsePolicySettings(settings, 'a file')).toThrow(problem)
})

test('variables say the same as the switches that they were made of, and blank ones say nothing', () => {
  const settings = { environment: 'production', requireProof: false, hazards: 'warn' } as const
  expect(policyFromVariables(policyVariables(settings), 'property').settings).toEqual(settings)
  expect(policyFromVariables({ LOCKSTEP_HAZARDS: ' ', LOCKSTEP_CONFIRM_DOWNS: 'On' }, 'property').settings).toEqual({
    confirmDowns: true,
  })
  expect(() => policyFromVariables({ LOCKSTEP_REQUIRE_PROOF: 'maybe' }, 'property')).toThrow(
    '"requireProof" is "maybe"',
  )
})
