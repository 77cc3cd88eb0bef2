import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from './run-cli.ts'

const entry = join(import.meta.dirname, '..', '..', '..', 'cli', 'demo.ts')

test('the demonstration shows three deployments: one succeeds, one has nothing to do, one is rolled back', async () => {
  const { exitCode, stdout, stderr } = await runCli([], { entry })

  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(stdout).toMatch(/^Status before\n\n[^]*10 pending, 0 applied/m)
  expect(stdout).toMatch(/^ {2}Snapshot first: \d+ tables, /m)
  expect(stdout).toMatch(/^ {2}20260202110500_fill_product_slug +applied +\d+ +\S+ ms$/m)
  expect(stdout).toMatch(/^Status after\n\n[^]*up to date, 10 applied/m)
  expect(stdout).toContain('Nothing to do')
  expect(stdout).toMatch(/\n +8 \| .*total_amout.*\n +\| +\^\n/)
  expect(stdout).toContain('The schema is byte-identical to the one before.')
})

test('the demonstration as one document', async () => {
  const { exitCode, document } = await runCli(['--json'], { entry })

  expect(exitCode).toBe(0)
  expect(document()).toMatchObject({
    deployments: [
      { status: 'succeeded', snapshot: expect.stringMatching(/^file:/) },
      { status: 'succeeded', applied: [], snapshot: null },
      {
        status: 'failed',
        error: { code: 'MIGRATION_FAILED', line: 8, excerpt: expect.stringContaining('^') },
        rolledBack: true,
        schemaUnchanged: true,
      },
    ],
  })
  const { deployments } = document() as { readonly deployments: readonly { readonly applied: readonly string[] }[] }
  expect(deployments[0]?.applied).toHaveLength(10)
})
