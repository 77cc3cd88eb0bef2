import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { HAZARDS } from '../../../lambda/engine/hazards/hazard.ts'
import { EXAMPLES } from '../../../tools/hazard-examples/all.ts'
import { hazardDocument } from '../../../tools/hazard-document.ts'

const FILE = join(import.meta.dirname, '..', '..', '..', 'docs', 'hazards.md')

test('docs/hazards.md is what "npm run docs" makes', () => {
  expect(readFileSync(FILE, 'utf8')).toBe(hazardDocument())
})

test('every hazard has an example, but for those that only a live database shows', () => {
  const without = Object.keys(HAZARDS).filter((id) => EXAMPLES[id] === undefined)
  expect(without).toEqual(['existing-data-violates', 'concurrent-index-corruption'])
})
