import { beforeAll, describe, expect, test } from 'vitest'
import type { AnalysisEntry, Hazard } from '../../../../lambda/analysis-contract.ts'
import { currentEntries } from '../../../../lambda/engine/policy/gate.ts'
import type { Migration } from '../../../../lambda/engine/migration/migration.ts'
import { resolvePolicy, type PolicySettings } from '../../../../lambda/engine/policy/policy.ts'
import { loadParser } from '../../../../lambda/engine/migration/statements.ts'
import { downStep, upStep } from '../../../../lambda/engine/plan/step.ts'
import type { Live, RunFacts } from '../../../../lambda/engine/policy/run-facts.ts'
import { judgeRun } from '../../../../lambda/engine/policy/verdict.ts'
import { code, fileOf, repeatable } from '../../../support/engine.ts'

beforeAll(() => loadParser())

const LIVE: Live = {
  relations: new Map([['public.orders', { rows: 5_000_000, bytes: 2_000_000_000, writesPerSecond: null }]]),
  isEmpty: false,
}

const SCAN: Hazard = {
  id: 'set-not-null-scans',
  severity: 'error',
  line: 2,
  relation: 'public.orders',
  detail: 'scans public.orders under ACCESS EXCLUSIVE',
  safe: null,
  rules: ['squawk:adding-not-nullable-field'],
}
const DROP: Hazard = { ...SCAN, id: 'column-dropped', detail: 'drops public.orders.note', rules: [] }

const PROVEN = { verdict: 'proven', detail: '' } as const

function file(id: string, directives = '', down = 'SELECT 2;'): Migration {
  return fileOf(id, `${directives}-- migrate:up\nSELECT 1;\n-- migrate:down\n${down}\n`)
}

function entryOf(migration: Migration, found: Partial<AnalysisEntry> = {}): readonly [string, AnalysisEntry] {
  return [migration.id, { checksum: migration.checksum, proof: PROVEN, hazards: [], creates: [], ...found }]
}

const ofBytes = (bytes: number): Live => ({
  relations: new Map([['public.orders', { rows: null, bytes, writesPerSecond: null }]]),
  isEmpty: false,
})

function judge(
  migrations: readonly Migration[],
  entries: readonly (readonly [string, AnalysisEntry])[],
  changes: Partial<RunFacts> & { readonly settings?: PolicySettings } = {},
) {
  const { settings = {}, ...facts } = changes
  const steps = facts.steps ?? migrations.map((migration) => upStep({ migration, parents: [] }))
  const resolved = resolvePolicy([{ source: 'option', settings: { environment: 'production', ...settings } }])
  const analysis = currentEntries(Object.fromEntries(entries), steps)
  return judgeRun(resolved, { database: 'shop', steps, analysis, snapshot: true, confirm: null, live: LIVE, ...facts })
}

const codes = ({ problems }: ReturnType<typeof judge>): readonly string[] => problems.map(({ code }) => code)

test('a repeatable is to be looked at and tried like a migration, but needs no down', () => {
  const views = repeatable('views', 'SELECT 1;')
  const third = { ...views, id: 'repeatable/views#3', down: views.up }
  const steps = [upStep({ migration: third, parents: [] })]
  expect(codes(judge([], [], { steps }))).toEqual(['HAZARD_REFUSED', 'HAZARD_REFUSED'])
  const first = [upStep({ migration: { ...views, id: 'repeatable/views#1' }, parents: [] })]
  expect(codes(judge([], [entryOf(views)], { steps: first, snapshot: false }))).toEqual([])
  const seen = entryOf(views, { hazards: [SCAN] })
  expect(judge([], [seen], { steps })).toMatchObject({
    problems: [
      {
        code: 'HAZARD_REFUSED',
        migration: 'repeatable/views#3',
        message: expect.stringContaining('repeatable/views.sql, line 2'),
      },
    ],
  })
  expect(codes(judge([], [seen], { steps: [downStep(third)] }))).toEqual([])
})

describe('hazards in production', () => {
  test('are refused, with the place, the size and the way out', () => {
    const migration = file('1_a')
    const [problem] = judge([migration], [entryOf(migration, { hazards: [SCAN] })]).problems
    expect(problem).toMatchObject({
      code: 'HAZARD_REFUSED',
      migration: '1_a',
      message:
        '1_a.sql, line 2: set-not-null-scans (error): scans public.orders under ACCESS EXCLUSIVE; public.orders has 2.0 GB, 5,000,000 rows: about 5 s.',
    })
    expect(problem?.remedy).toContain('"-- lockstep:allow set-not-null-scans <reason>"')
  })

  test.each([
    ['its own id', 'set-not-null-scans'],
    ["squawk's rule", 'squawk:adding-not-nullable-field'],
  ])('pass when the file allows them by %s', (_what, id) => {
    const migration = file('1_a', `-- lockstep:allow ${id} the table is small\n`)
    expect(codes(judge([migration], [entryOf(migration, { hazards: [SCAN] })]))).toEqual([])
  })

  test('are refused when the file allows another one', () => {
    const migration = file('1_a', '-- lockstep:allow column-dropped it is not read any more\n')
    expect(codes(judge([migration], [entryOf(migration, { hazards: [SCAN] })]))).toEqual(['HAZARD_REFUSED'])
  })

  test('are refused when another file of the run allows them', () => {
    const other = file('1_a', '-- lockstep:allow set-not-null-scans small\n')
    const migration = file('2_b')
    const { problems } = judge([other, migration], [entryOf(other), entryOf(migration, { hazards: [SCAN] })])
    expect(problems.map(({ migration }) => migration)).toEqual(['2_b'])
  })

  test('pass where the table is small, is made by the run, or the database is empty', () => {
    const migration = file('1_a')
    const entries = [entryOf(migration, { hazards: [SCAN] })]
    const small = { rows: 900, bytes: 80_000, writesPerSecond: null }
    const lives: readonly Live[] = [
      { relations: new Map([['public.orders', small]]), isEmpty: false },
      { relations: new Map(), isEmpty: true },
    ]
    expect(lives.map((live) => codes(judge([migration], entries, { live })))).toEqual([[], []])

    const maker = file('0_a')
    const made = [entryOf(maker, { creates: ['public.orders'] }), ...entries]
    const nothing: Live = { relations: new Map(), isEmpty: false }
    expect(codes(judge([maker, migration], made, { live: nothing }))).toEqual([])
  })

  test('are refused where the table has another name until the run gives it this one', () => {
    const migration = file('1_a')
    const entries = [entryOf(migration, { hazards: [{ ...DROP, relation: 'public.orders_old' }] })]
    expect(codes(judge([migration], entries))).toEqual(['HAZARD_REFUSED'])
    expect(codes(judge([migration], entries, { snapshot: false }))).toEqual(['HAZARD_REFUSED', 'HAZARD_REFUSED'])
  })

  test('are not known of what is there already, though the run is to make it', () => {
    const migration = file('1_a')
    const makes = { creates: ['public.orders'] }
    const [problem] = judge([migration], [entryOf(migration, makes)]).problems
    expect(problem).toMatchObject({ code: 'HAZARD_REFUSED', message: expect.stringContaining('is there already') })

    const dropper = file('0_a', '-- lockstep:allow table-dropped it is replaced\n')
    const dropped = [entryOf(dropper, { hazards: [{ ...DROP, id: 'table-dropped' }] }), entryOf(migration, makes)]
    expect(codes(judge([dropper, migration], dropped))).toEqual([])
  })

  test('that do not grow with the table are refused on a small one', () => {
    const migration = file('1_a')
    const live = {
      relations: new Map([['public.orders', { rows: 3, bytes: 8192, writesPerSecond: null }]]),
      isEmpty: false,
    }
    expect(codes(judge([migration], [entryOf(migration, { hazards: [DROP] })], { live }))).toEqual(['HAZARD_REFUSED'])
  })

  test('of a table that was never analysed are weighed by its bytes', () => {
    const migration = file('1_a')
    const entries = [entryOf(migration, { hazards: [SCAN] })]
    expect(codes(judge([migration], entries, { live: ofBytes(1_000_000) }))).toEqual([])
    expect(codes(judge([migration], entries, { live: ofBytes(1_000_000_000) }))).toEqual(['HAZARD_REFUSED'])
  })

  test('are warned of, or ignored, where the switch says so', () => {
    const migration = file('1_a')
    const entries = [entryOf(migration, { hazards: [SCAN] })]
    const warned = judge([migration], entries, { settings: { hazards: 'warn' } })
    expect([warned.problems.length, warned.warnings.length]).toEqual([0, 1])
    expect(judge([migration], entries, { settings: { hazards: 'ignore' } })).toEqual({ problems: [], warnings: [] })
  })
})

describe('proof in production', () => {
  test('what nobody has tried is refused, and what nobody has looked at', () => {
    const migration = file('1_a')
    const { problems } = judge([migration], [])
    expect(problems.map(({ message }) => message)).toEqual([
      '1_a is not proven: nobody has tried it as it is.',
      '1_a was not looked at for hazards as it is.',
    ])
  })

  test('what was found of another text of the file counts for nothing', () => {
    const migration = file('1_a')
    const old = { checksum: file('1_a', '-- lockstep:breaking x\n').checksum }
    expect(codes(judge([migration], [entryOf(migration, old)]))).toEqual(['HAZARD_REFUSED', 'HAZARD_REFUSED'])
  })

  test.each([
    ['proven', []],
    ['lossy', []],
    ['irreversible', []],
    ['broken', ['HAZARD_REFUSED']],
  ] as const)('%s gives %j', (verdict, expected) => {
    const migration = file('1_a')
    expect(codes(judge([migration], [entryOf(migration, { proof: { verdict, detail: 'why' } })]))).toEqual(expected)
  })

  test('code that was not tried is refused like any other', () => {
    const migration = code('1_a', { up: () => {}, down: () => {} })
    expect(codes(judge([migration], [entryOf(migration, { proof: null })]))).toEqual(['HAZARD_REFUSED'])
  })

  test('is not asked for when the switch is off, and hazards still are', () => {
    const migration = file('1_a')
    const settings = { requireProof: false }
    expect(codes(judge([migration], [entryOf(migration, { proof: null })], { settings }))).toEqual([])
    expect(codes(judge([migration], [entryOf(migration, { proof: null, hazards: null })], { settings }))).toEqual([
      'HAZARD_REFUSED',
    ])
  })
})

describe('snapshots in production', () => {
  const allowed = '-- lockstep:allow column-dropped not read any more\n'

  test.each([
    ['loses data, though the file allows it', allowed, 'SELECT 2;', [DROP]],
    ['is declared irreversible', '-- lockstep:irreversible it merges rows\n', 'SELECT 2;', []],
    ['has no down', '', '', []],
  ])('a migration that %s needs one', (_what, directives, down, hazards) => {
    const migration = file('1_a', directives, down)
    const entries = [entryOf(migration, { hazards })]
    expect(codes(judge([migration], entries, { snapshot: true }))).toEqual([])
    expect(codes(judge([migration], entries, { snapshot: false }))).toEqual(['HAZARD_REFUSED'])
    expect(codes(judge([migration], entries, { snapshot: false, settings: { requireSnapshot: false } }))).toEqual([])
  })

  test('one that nobody has looked at needs one, also where hazards are only warned of', () => {
    const migration = file('1_a')
    const settings = { hazards: 'warn', requireProof: false } as const
    const { problems } = judge([migration], [], { snapshot: false, settings })
    expect(problems.map(({ message }) => message)).toEqual([
      'Nobody has looked at what 1_a loses, and no snapshot is taken before it.',
    ])
    expect(codes(judge([migration], [], { snapshot: true, settings }))).toEqual([])
  })

  test('one that can be undone needs none', () => {
    const migration = file('1_a')
    expect(codes(judge([migration], [entryOf(migration)], { snapshot: false }))).toEqual([])
  })
})

const revert = () => [downStep(file('1_a'))]

describe('a revert in production', () => {
  test.each([
    [null, ['CONFIRMATION_REQUIRED']],
    ['', ['CONFIRMATION_REQUIRED']],
    ['Shop', ['CONFIRMATION_REQUIRED']],
    ['shop', []],
  ])('confirmed with %j gives %j', (confirm, expected) => {
    expect(codes(judge([], [], { steps: revert(), confirm }))).toEqual(expected)
  })

  test('needs a snapshot, and nobody to have looked at it', () => {
    expect(codes(judge([], [], { steps: revert(), confirm: 'shop', snapshot: false }))).toEqual(['HAZARD_REFUSED'])
  })

  test('is free in development', () => {
    const settings = { environment: 'development' } as const
    expect(codes(judge([], [], { steps: revert(), snapshot: false, settings }))).toEqual([])
  })
})
