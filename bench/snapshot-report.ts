import { renderTable, type Column } from '../cli/render/table.ts'
import { plainStyle } from '../cli/render/style.ts'
import { formatBytes } from '../cli/render/units.ts'
import { median } from './process.ts'
import type { Sample, Variant } from './snapshot-variants.ts'

/** Every variant once. */
export interface Round {
  readonly samples: readonly (Sample & Pick<Variant, 'name' | 'role'>)[]
}

export interface Report {
  readonly title: string
  /** What the database's rows come to as COPY writes them. */
  readonly textBytes: number
  readonly rounds: readonly Round[]
}

const COLUMNS: readonly Column[] = [
  { title: '' },
  { title: 'seconds', align: 'right' },
  { title: 'MB/s', align: 'right' },
  { title: 'of limit', align: 'right' },
  { title: 'CPU s', align: 'right' },
  { title: 'stored', align: 'right' },
  { title: 'peak RSS', align: 'right' },
]

/** Medians; ratios are those of the same round. `MB/s` counts the rows as COPY writes them. */
export function renderReport(report: Report): string {
  const { title, textBytes, rounds } = report
  const names = rounds[0]?.samples.map(({ name }) => name) ?? []
  const ours = rounds[0]?.samples.find(({ role }) => role === 'ours')?.output ?? '{}'
  const { startupSeconds = 0 } = JSON.parse(ours) as { readonly startupSeconds?: number }
  return [
    `${title}: ${formatBytes(textBytes)} as COPY text (medians of ${rounds.length}; Lockstep is its whole process, ${startupSeconds.toFixed(2)} s of it the start)`,
    renderTable(
      COLUMNS,
      names.map((name) => rowOf(report, name)),
      plainStyle,
    ),
    '',
  ].join('\n')
}

function rowOf({ rounds, textBytes }: Report, name: string): readonly string[] {
  const samples = rounds.flatMap(({ samples }) => samples.filter((sample) => sample.name === name))
  const of = (read: (sample: Sample) => number): number => median(samples.map(read))
  const seconds = of((sample) => sample.seconds)
  const stored = samples[0]?.storedBytes ?? null
  return [
    name,
    seconds.toFixed(2),
    (textBytes / 1e6 / seconds).toFixed(0),
    ratioToLimit(rounds, name).toFixed(2),
    of(({ cpuSeconds }) => cpuSeconds).toFixed(1),
    stored === null ? '' : formatBytes(stored),
    `${of(({ peakMb }) => peakMb).toFixed(0)} MB`,
  ]
}

function ratioToLimit(rounds: readonly Round[], name: string): number {
  return median(
    rounds.map(({ samples }) => {
      const limit = samples.find(({ role }) => role === 'limit')?.seconds ?? NaN
      const own = samples.find((sample) => sample.name === name)?.seconds ?? NaN
      return own / limit
    }),
  )
}
