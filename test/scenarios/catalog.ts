import type { Scenario, Theme } from './scenario.ts'
import * as themes from './themes.ts'

const THEMES: readonly Theme[] = Object.values(themes)

/** The scenarios whose theme or title contains a text, titled with their theme. */
export function chosenScenarios(text = ''): readonly Scenario[] {
  const wanted = text.toLowerCase()
  return THEMES.flatMap(({ name, scenarios }) =>
    scenarios.map((scenario) => ({ ...scenario, title: `${name}: ${scenario.title}` })),
  ).filter(({ title }) => title.toLowerCase().includes(wanted))
}
