import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { unsupportedNode } from '../../../cli/node-version.ts'

test.each(['22.18.0', '22.21.1', '24.0.0', '25.9.0', '26.0.0'])('Node %s is new enough', (version) => {
  expect(unsupportedNode(version)).toBeNull()
})

test.each(['18.20.8', '20.20.2', '22.17.1', '23.11.1'])('Node %s is too old', (version) => {
  expect(unsupportedNode(version)).toContain(`this is Node ${version}`)
})

test('package.json names the same versions', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly engines: { readonly node: string } }

  expect(manifest.engines.node).toBe('^22.18.0 || >=24.0.0')
})
