import { plainStyle } from '../cli/render/style.ts'
import { renderTable } from '../cli/render/table.ts'
import { formatBytes } from '../cli/render/units.ts'
import type { Measured } from './measure.ts'
import { median } from './process.ts'

/** One run of a variant. */
type Run<S extends Measured> = S & { readonly name: string; readonly role: string }

/** Every variant once. */
export interface Round<S extends Measured> {
  readonly samples: readonly Run<S>[]
}

export interface Report<S extends Measured> {
  readonly title: string
  /** What the database's rows come to as COPY writes them. */
  readonly textBytes: number
  readonly rounds: readonly Round<S>[]
}

/** What is known of one variant. */
export interface Figures<S extends Measured> {
  readonly samples: readonly S[]
  readonly medianOf: (read: (sample: S) => number) => number
  /** Of what is read to the reference's seconds of the same round. */
  readonly ratioOf: (read: (sample: S) => number) => number
}

export interface ReportColumn<S extends Measured> {
  readonly title: string
  readonly text: (figures: Figures<S>) => string
}

export interface Layout<S extends Measured> {
  /** Of the variant that the others are compared with. */
  readonly reference: string
  /** In words. */
  readonly ratioTitle: string
  /** What else the first line says. */
  readonly remark: string
  /** Between the ratio and the peak. */
  readonly columns: readonly ReportColumn<S>[]
}

/** Medians; ratios are those of the same round. `MB/s` counts the rows as COPY writes them. */
export function renderVariants<S extends Measured>(report: Report<S>, layout: Layout<S>): string {
  const { title, textBytes, rounds } = report
  const columns = [
    { title: 'seconds', text: ({ medianOf }: Figures<S>) => medianOf(secondsOf).toFixed(2) },
    { title: 'MB/s', text: ({ medianOf }: Figures<S>) => (textBytes / 1e6 / medianOf(secondsOf)).toFixed(0) },
    { title: layout.ratioTitle, text: ({ ratioOf }: Figures<S>) => ratioOf(secondsOf).toFixed(2) },
    ...layout.columns,
    { title: 'peak RSS', text: ({ medianOf }: Figures<S>) => `${medianOf(({ peakMb }) => peakMb).toFixed(0)} MB` },
  ]
  const names = rounds[0]?.samples.map(({ name }) => name) ?? []
  return [
    `${title}: ${formatBytes(textBytes)} as COPY text (medians of ${rounds.length}; ${layout.remark})`,
    renderTable(
      [{ title: '' }, ...columns.map((column) => ({ title: column.title, align: 'right' as const }))],
      names.map((name) => {
        const figures = figuresOf(rounds, name, layout.reference)
        return [name, ...columns.map(({ text }) => text(figures))]
      }),
      plainStyle,
    ),
    '',
  ].join('\n')
}

export function cpuColumn<S extends Measured>(): ReportColumn<S> {
  return { title: 'CPU s', text: ({ medianOf }) => medianOf(({ cpuSeconds }) => cpuSeconds).toFixed(1) }
}

function secondsOf({ seconds }: Measured): number {
  return seconds
}

function figuresOf<S extends Measured>(rounds: readonly Round<S>[], name: string, reference: string): Figures<S> {
  const samples = rounds.flatMap((round) => round.samples.filter((sample) => sample.name === name))
  const ratioIn = (round: Round<S>, read: (sample: S) => number): number => {
    const own = round.samples.find((sample) => sample.name === name)
    const base = round.samples.find(({ role }) => role === reference)
    return own === undefined || base === undefined ? NaN : read(own) / base.seconds
  }
  return {
    samples,
    medianOf: (read) => median(samples.map(read)),
    ratioOf: (read) => median(rounds.map((round) => ratioIn(round, read))),
  }
}
