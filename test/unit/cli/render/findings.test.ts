import { expect, test } from 'vitest'
import { renderFindings, renderGithub, renderSarif, type Finding } from '../../../../cli/render/findings.ts'
import { plainStyle } from '../../../../cli/render/style.ts'

const finding: Finding = {
  rule: 'table-dropped',
  severity: 'error',
  path: 'migrations/1_a, b.sql',
  line: 3,
  message: 'A table is dropped: 100% of it.',
  excerpt: 'DROP TABLE orders;',
  notes: [['Blocks', 'Everybody.']],
  code: 'ALTER TABLE orders RENAME TO old;',
}
const allowed: Finding = { ...finding, allowed: 'nobody reads it' }

test('a finding shows where, what and what to do; one that is allowed, why', () => {
  expect(renderFindings([finding, allowed], plainStyle)).toBe(`✗ table-dropped  migrations/1_a, b.sql:3
  A table is dropped: 100% of it.
    DROP TABLE orders;
  Blocks  Everybody.
            ALTER TABLE orders RENAME TO old;

✗ table-dropped  migrations/1_a, b.sql:3
  A table is dropped: 100% of it.
    DROP TABLE orders;
  Allowed nobody reads it`)
})

test('GitHub gets one command for each, with what would end it early escaped', () => {
  expect(renderGithub([finding, { ...allowed, line: null }])).toBe(
    '::error file=migrations/1_a%2C b.sql,line=3,title=table-dropped::A table is dropped: 100%25 of it.%0ABlocks: Everybody.%0AALTER TABLE orders RENAME TO old;\n' +
      '::notice file=migrations/1_a%2C b.sql,title=table-dropped::A table is dropped: 100%25 of it.%0AAllowed: nobody reads it',
  )
})

test('SARIF names each rule once, and suppresses what is allowed', () => {
  const document = JSON.parse(
    renderSarif([finding, allowed], { version: '1.0.0', titleOf: () => 'A table is dropped' }),
  ) as {
    readonly runs: readonly { readonly tool: unknown; readonly results: readonly unknown[] }[]
  }
  expect(document.runs[0]?.tool).toEqual({
    driver: {
      name: 'lockstep',
      version: '1.0.0',
      rules: [{ id: 'table-dropped', shortDescription: { text: 'A table is dropped' } }],
    },
  })
  expect(document.runs[0]?.results).toMatchObject([
    { ruleId: 'table-dropped', level: 'error', locations: [{ physicalLocation: { region: { startLine: 3 } } }] },
    { suppressions: [{ kind: 'inSource', justification: 'nobody reads it' }] },
  ])
})
