import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { chosenScenarios } from '../../scenarios/catalog.ts'
import { PROJECT } from '../../support/package.ts'

function textOf(file: string): string {
  return readFileSync(join(PROJECT, 'test', 'scenarios', file), 'utf8')
}

test('the guide shows the example as it is played', () => {
  expect(textOf('README.md')).toContain(`\`\`\`ts\n${textOf('example.ts')}\`\`\``)
  expect(chosenScenarios('example').length).toBeGreaterThan(0)
})
