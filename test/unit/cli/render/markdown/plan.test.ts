import { describe, expect, test } from 'vitest'
import { renderPlanMarkdown } from '../../../../../cli/render/markdown/plan.ts'
import { NO_POLICY, resolvePolicy } from '../../../../../lambda/engine/policy/policy.ts'
import type { PlanHazard, PlanResult, PlanStep } from '../../../../../lambda/plan-contract.ts'

const HASH = '0123456789abcdef01234567'

function step(id: string, changes: Partial<PlanStep> = {}): PlanStep {
  return {
    id,
    file: `${id}.sql`,
    direction: 'up',
    kind: 'sql',
    transactional: true,
    segment: 1,
    statements: 1,
    proof: { verdict: 'proven', detail: '' },
    revert: { kind: 'proven', detail: '' },
    hazards: [],
    locks: [],
    sql: `ALTER TABLE t ADD c${id} int;`,
    ...changes,
  }
}

const hazard: PlanHazard = {
  id: 'index-not-concurrent',
  severity: 'error',
  line: 3,
  relation: 'public.orders',
  detail: 'builds public.orders_total under SHARE',
  safe: '-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY orders_total ON orders (total);',
  rules: [],
  allowed: null,
}

const plan: PlanResult = {
  database: 'shop',
  set: 'default',
  action: 'up',
  hash: HASH,
  current: '1_a',
  target: '3_c',
  steps: [step('2_b'), step('3_c')],
  problems: [],
  warnings: [],
  snapshot: 'none',
  policy: NO_POLICY,
}

const render = (changes: Partial<PlanResult> = {}, limit?: number): string =>
  renderPlanMarkdown({ ...plan, ...changes }, { directory: 'db/migrations', ...(limit === undefined ? {} : { limit }) })

describe('the headline', () => {
  test.each([
    [{}, '### Lockstep would apply 2 migrations on `shop`'],
    [
      { action: 'down', steps: [step('3_c', { direction: 'down' })] },
      '### Lockstep would revert 1 migration on `shop`',
    ],
    [{ steps: [] }, '### Lockstep has nothing to do on `shop`'],
    [
      { problems: [{ code: 'HAZARD_REFUSED', migration: '2_b', message: 'No.', remedy: 'Do.' }] },
      '### Lockstep would refuse to apply 2 migrations on `shop`',
    ],
    [
      { steps: [], problems: [{ code: 'MULTIPLE_HEADS', migration: null, message: 'No.', remedy: 'Do.' }] },
      '### A run of Lockstep on `shop` would be refused',
    ],
  ] satisfies readonly (readonly [Partial<PlanResult>, string])[])('%#: %s', (changes, headline) => {
    expect(render(changes).split('\n')[1]).toBe(headline)
  })

  test('is found again by a mark, whatever the names are, and followed by how to do exactly this', () => {
    expect(render().split('\n')[0]).toBe('<!-- lockstep plan shop default -->')
    expect(render({ database: 'a-->b', set: 'x--y' }).split('\n')[0]).toBe('<!-- lockstep plan a-%2D%3Eb x-%2Dy -->')
    expect(render()).toContain(`Plan \`${HASH}\`: \`lockstep up --plan ${HASH}\` does exactly this, or nothing.`)
    expect(render({ action: 'down' })).toContain(`\`lockstep down --plan ${HASH}\``)
    expect(render({ steps: [] })).not.toContain(HASH)
    const problem = { code: 'HAZARD_REFUSED', migration: null, message: 'No.', remedy: 'Do.' }
    expect(render({ problems: [problem] })).toContain(`\nPlan \`${HASH}\`.\n`)
  })
})

test('the steps say where they run, whether they are proven, and what undoing them would be', () => {
  const kinds = [
    step('2_b', { revert: { kind: 'lossy', detail: 'values of t.a' }, proof: { verdict: 'lossy', detail: 'x' } }),
    step('3_c', { transactional: false, segment: 2, revert: { kind: 'untried', detail: '' }, proof: null }),
    step('4_d', { segment: 3, kind: 'ts', statements: 0, revert: { kind: 'none', detail: '' }, proof: null }),
    step('5_e', { segment: 3, revert: { kind: 'irreversible', detail: 'mails were sent' }, proof: null }),
    step('6_f', { segment: 3, revert: { kind: 'broken', detail: 'the down fails' }, proof: null }),
    step('7_g', { segment: 3 }),
  ]
  const text = render({ steps: kinds })
  expect(text).toContain('From `1_a` to `3_c`: in 2 transactions and 1 outside of any, without a snapshot.')
  expect(text).toContain(`| --: | -- | -- | -- | -- |
| 1 | \`2_b\` | 1 statement, transaction 1 | lossy | **lossy**: values of t.a |
| 2 | \`3_c\` | 1 statement, **outside of a transaction** | not tried | has a down, not tried |
| 3 | \`4_d\` | code, transaction 2 | not tried | **has no down** |
| 4 | \`5_e\` | 1 statement, transaction 2 | not tried | **cannot be undone**: mails were sent |
| 5 | \`6_f\` | 1 statement, transaction 2 | not tried | **broken**: the down fails |
| 6 | \`7_g\` | 1 statement, transaction 2 | proven | restores schema and rows |`)
})

test('hazards stand with their place, whom they block and the safe way, the severest first', () => {
  const steps = [
    step('2_b', { hazards: [{ ...hazard, severity: 'warning', id: 'table-renamed' }, hazard] }),
    step('3_c', { hazards: [{ ...hazard, severity: 'critical', line: null, safe: null }] }),
    step('4_d', {
      hazards: [
        { ...hazard, severity: 'notice' },
        { ...hazard, allowed: 'the table is small' },
      ],
    }),
    step('5_e', { hazards: null }),
  ]
  const text = render({ steps })
  expect(text).toContain('**3 hazards**, 2 of which production refuses:')
  const summaries = text.match(/(?<=<summary>)<b>.*?(?=<\/summary>)/g)
  expect(summaries).toEqual([
    '<b>critical</b> <code>index-not-concurrent</code> <code>db/migrations/3_c.sql</code>: An index is built without CONCURRENTLY',
    '<b>error</b> <code>index-not-concurrent</code> <code>db/migrations/2_b.sql:3</code>: An index is built without CONCURRENTLY',
    expect.stringMatching(/^<b>warning<\/b> <code>table-renamed<\/code>/),
  ])
  expect(text).toContain('**Blocks:** Writes to the table wait until the index is built (SHARE lock).')
  expect(text).toContain(`\`\`\`sql\n${hazard.safe}\n\`\`\``)
  expect(text).toContain('<details><summary>1 hazard that the files accept</summary>')
  expect(text).toContain('Accepted: the table is small')
  expect(text).toContain('1 notice beside:')
  expect(text).toContain('Nobody has looked for hazards in `5_e`: `lockstep lint --write` does.')
  expect(render()).toContain('**No hazards** that nobody has accepted.')
})

test('locks, snapshot and policy are told in words', () => {
  const size = { rows: 120_000_000, bytes: 48_000_000_000, writesPerSecond: 120 }
  const lock = { relation: 'public.orders', mode: 'SHARE', line: 3, size } as const
  const estimate = {
    scope: 'affected',
    unsure: null,
    affected: [{ schema: 'public', name: 'orders', why: 'CREATE INDEX in 2_b' }],
    tables: 1,
    omittedTables: 6,
    bytes: 1_200_000_000,
    seconds: 24,
    bytesPerSecond: 50_000_000,
    speed: 'measured',
  } as const
  const policy = resolvePolicy([{ source: 'option', settings: { environment: 'production' } }])
  const steps = [
    step('2_b', { locks: [lock] }),
    step('3_c', { locks: [{ ...lock, line: 9, mode: 'ACCESS EXCLUSIVE' }] }),
  ]
  const text = render({ steps, snapshot: 'logical', snapshotEstimate: estimate, policy })
  expect(text).toContain(
    '| `public.orders` | ACCESS EXCLUSIVE | reads and writes | 48 GB, 120,000,000 rows, 120 writes/s | `db/migrations/3_c.sql:9` |',
  )
  expect(text).toContain(
    '<summary><b>Snapshot</b> of what is affected: 1 of 7 tables, 1.2 GB, about 24.0 s as fast as the last one.</summary>',
  )
  expect(text).toContain('| `public.orders` | CREATE INDEX in 2\\_b |')
  expect(text).toContain('<summary><b>Policy</b> <code>production</code></summary>')
  expect(text).toContain('| `requireProof` | `true` | preset |')
  expect(render()).toContain('No table that exists is **locked**')
  expect(render({ steps: [step('2_b', { locks: null })] })).not.toContain('locked')
  expect(render()).toContain('**No snapshot** is taken before it.')
})

test('problems and warnings stand out, with the way out', () => {
  const problem = { code: 'HAZARD_REFUSED', migration: '2_b', message: '2_b is <not> proven.', remedy: 'Run prove.' }
  expect(
    render({ problems: [problem, { ...problem, migration: null }], warnings: ['2_b.sql, line 2: beware'] }),
  ).toContain(
    `> [!CAUTION]
> **\`HAZARD_REFUSED\`** \`2_b\`: 2\\_b is &lt;not&gt; proven.
> *Run prove.*
>
> **\`HAZARD_REFUSED\`**: 2\\_b is &lt;not&gt; proven.
> *Run prove.*

> [!WARNING]
> 2\\_b.sql, line 2: beware`,
  )
})

test('names and texts are shown as they are, in tables, summaries and paragraphs', () => {
  const id = '2_a|b`c``<script>'
  const odd = step(id, {
    revert: { kind: 'lossy', detail: 'rows | of <t>\n@team, #12 and *more*' },
    sql: 'SELECT $$\n```\n</details>\n````$$;',
  })
  const text = render({ steps: [odd], database: '@shop' })
  expect(text).toContain('on `@shop`')
  expect(text).toContain('| ```2_a\\|b`c``<script>``` |')
  expect(text).toContain('**lossy**: rows \\| of &lt;t&gt; @<!-- -->team, #<!-- -->12 and \\*more\\* |')
  expect(text).toContain('<summary>SQL of <code>2_a|b`c``&lt;script&gt;</code></summary>')
  expect(text).toContain('`````sql\nSELECT $$\n```\n</details>\n````$$;\n`````')
})

describe('a comment on GitHub holds 65,536 characters', () => {
  test('the SQL is left out first, as much of it as there is no room for, and that is said', () => {
    const sql = 'SELECT 1;\n'.repeat(2000)
    const text = render({
      steps: [step('2_b', { sql }), step('3_c', { sql }), step('4_d', { sql }), step('5_e', { sql })],
    })
    expect(text.length).toBeLessThan(65_536)
    expect(text.match(/<summary>SQL of/g)).toHaveLength(3)
    expect(text).toContain(
      'The SQL of 1 migration is left out: there is no room for it. `lockstep plan --sql` prints all of it.',
    )
    expect(text).toContain('| 4 | `5_e` |')
  })

  test('then whatever there is too much of is counted', () => {
    const long = 'word '.repeat(500)
    const size = { rows: 1, bytes: 1, writesPerSecond: null }
    const steps = Array.from({ length: 800 }, (_, index) =>
      step(`${index}_${'x'.repeat(200)}`, {
        revert: { kind: 'lossy', detail: long },
        hazards: [
          { ...hazard, detail: long },
          { ...hazard, allowed: long },
        ],
        locks: [{ relation: `public.t${index}`, mode: 'SHARE', line: 1, size }],
      }),
    )
    const problems = steps.map(({ id }) => ({ code: 'HAZARD_REFUSED', migration: id, message: long, remedy: long }))
    const text = render({ steps, problems, warnings: problems.map(() => long) })
    expect(text.length).toBeLessThan(65_536)
    expect(text).toContain('… and 775 more migrations.')
    expect(text).toContain('### Lockstep would refuse to apply 800 migrations')
    expect(text).toMatch(/The SQL of 7\d\d migrations is left out/)
  })
})
