import { plainStyle } from '../cli/render/style.ts'
import { renderTable, type Column } from '../cli/render/table.ts'
import { formatBytes } from '../cli/render/units.ts'
import { median } from './process.ts'
import type { RestoreSample, RestoreVariant } from './restore-variants.ts'

/** Every variant once. */
export interface RestoreRound {
  readonly samples: readonly (RestoreSample & Pick<RestoreVariant, 'name' | 'role'>)[]
}

export interface RestoreReport {
  readonly title: string
  /** What the database's rows come to as COPY writes them. */
  readonly textBytes: number
  readonly rounds: readonly RestoreRound[]
}

const COLUMNS: readonly Column[] = [
  { title: '' },
  { title: 'seconds', align: 'right' },
  { title: 'MB/s', align: 'right' },
  { title: 'of pg_restore -j2', align: 'right' },
  { title: 'without ANALYZE', align: 'right' },
  { title: 'CPU s', align: 'right' },
  { title: 'server CPU s', align: 'right' },
  { title: 'peak RSS', align: 'right' },
]

/** Medians; ratios are those of the same round. Lockstep gathers statistics at the end; the others do not. */
export function renderRestoreReport({ title, textBytes, rounds }: RestoreReport): string {
  const names = rounds[0]?.samples.map(({ name }) => name) ?? []
  return [
    `${title}: ${formatBytes(textBytes)} as COPY text (medians of ${rounds.length}; every figure is of a whole process)`,
    renderTable(
      COLUMNS,
      names.map((name) => rowOf(rounds, textBytes, name)),
      plainStyle,
    ),
    '',
  ].join('\n')
}

function rowOf(rounds: readonly RestoreRound[], textBytes: number, name: string): readonly string[] {
  const samples = rounds.flatMap((round) => round.samples.filter((sample) => sample.name === name))
  const of = (read: (sample: RestoreSample) => number): number => median(samples.map(read))
  const seconds = of((sample) => sample.seconds)
  return [
    name,
    seconds.toFixed(2),
    (textBytes / 1e6 / seconds).toFixed(0),
    ratioOf(rounds, name, (sample) => sample.seconds).toFixed(2),
    samples.some((sample) => analyzeSecondsOf(sample) > 0)
      ? ratioOf(rounds, name, (sample) => sample.seconds - analyzeSecondsOf(sample)).toFixed(2)
      : '',
    of(({ cpuSeconds }) => cpuSeconds).toFixed(1),
    of(({ serverCpuSeconds }) => serverCpuSeconds).toFixed(1),
    `${of(({ peakMb }) => peakMb).toFixed(0)} MB`,
  ]
}

function analyzeSecondsOf({ output }: RestoreSample): number {
  const told = output.startsWith('{') ? (JSON.parse(output) as { readonly analyzeSeconds?: number }) : {}
  return told.analyzeSeconds ?? 0
}

function ratioOf(rounds: readonly RestoreRound[], name: string, secondsOf: (sample: RestoreSample) => number): number {
  return median(
    rounds.map(({ samples }) => {
      const baseline = samples.find(({ role }) => role === 'baseline')?.seconds ?? NaN
      const own = samples.find((sample) => sample.name === name)
      return own === undefined ? NaN : secondsOf(own) / baseline
    }),
  )
}
