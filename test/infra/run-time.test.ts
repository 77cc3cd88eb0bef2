import { Duration } from 'aws-cdk-lib'
import type { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, it } from 'vitest'
import { ENVIRONMENT } from '../../lambda/contract.ts'
import { migrationResource, SHOP_DIRECTORY, synthesize } from './fixtures.ts'

interface Times {
  readonly invocation: unknown
  readonly all: unknown
  readonly service: unknown
  readonly waiters: number
}

interface FunctionProperties {
  readonly Timeout: number
  readonly Environment: { readonly Variables: Readonly<Record<string, unknown>> }
}

function functionsOf(template: Template, handler: string): readonly FunctionProperties[] {
  const found = template.findResources('AWS::Lambda::Function', { Properties: { Handler: handler } })
  return Object.values(found).map((resource) => resource['Properties'] as FunctionProperties)
}

function timesOf(template: Template): Times {
  const [fn] = functionsOf(template, 'index.handler').filter(
    ({ Environment }) => ENVIRONMENT.set in Environment.Variables,
  )
  return {
    invocation: fn?.Timeout,
    all: fn?.Environment.Variables[ENVIRONMENT.totalTimeout],
    service: migrationResource(template).Properties['ServiceTimeout'],
    waiters: Object.keys(template.findResources('AWS::StepFunctions::StateMachine')).length,
  }
}

describe('totalTimeout', () => {
  it.each<[string, Duration | undefined, Times]>([
    ['by default is one invocation', undefined, { invocation: 840, all: undefined, service: '900', waiters: 0 }],
    ['of 5 minutes', Duration.minutes(5), { invocation: 300, all: undefined, service: '360', waiters: 0 }],
    ['of 14 minutes', Duration.minutes(14), { invocation: 840, all: undefined, service: '900', waiters: 0 }],
    ['of 15 minutes takes two', Duration.minutes(15), { invocation: 840, all: '900', service: '960', waiters: 1 }],
    [
      'of an hour leaves time to answer',
      Duration.hours(1),
      { invocation: 840, all: '3540', service: '3600', waiters: 1 },
    ],
  ])('%s', (_, totalTimeout, times) => {
    const template = synthesize({ migrations: SHOP_DIRECTORY, ...(totalTimeout === undefined ? {} : { totalTimeout }) })
    expect(timesOf(template)).toEqual(times)
  })

  it('lets the framework ask the same function whether the run is complete', () => {
    const template = synthesize({ migrations: SHOP_DIRECTORY, totalTimeout: Duration.minutes(30) })
    const asked = functionsOf(template, 'framework.isComplete').map(({ Environment }) => Environment.Variables)
    const told = functionsOf(template, 'framework.onEvent').map(({ Environment }) => Environment.Variables)
    expect(asked).toHaveLength(1)
    expect(asked[0]?.['USER_IS_COMPLETE_FUNCTION_ARN']).toEqual(told[0]?.['USER_ON_EVENT_FUNCTION_ARN'])
  })
})
