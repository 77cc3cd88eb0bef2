import { afterAll, describe, expect, inject, test } from 'vitest'
import { createAssemblies } from '../scenarios/assemblies.ts'
import { chosenScenarios } from '../scenarios/catalog.ts'
import { play } from '../scenarios/play.ts'
import { createReferences } from '../scenarios/references.ts'
import { renderFailure } from '../scenarios/report.ts'

const SCENARIOS = chosenScenarios()
const assemblies = createAssemblies()
const references = createReferences(inject('serverUrl'))

afterAll(() => assemblies.remove())

describe.concurrent('the life cycle of a stack', () => {
  test.for(SCENARIOS.map((scenario) => [scenario.title, scenario] as const))(
    '%s',
    { timeout: 180_000 },
    async ([, scenario], { expect }) => {
      const outcome = await play(scenario, { serverUrl: inject('serverUrl'), assemblies, references })
      expect(outcome.problems, renderFailure(scenario, outcome)).toEqual([])
    },
  )
})

test('every scenario has a title of its own', () => {
  const titles = SCENARIOS.map(({ title }) => title)
  expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([])
})
