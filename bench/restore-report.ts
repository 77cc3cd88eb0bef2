import type { RestoreSample } from './restore-variants.ts'
import { cpuColumn, renderVariants, type Report } from './variant-report.ts'

/** Lockstep gathers statistics at the end; the others do not. */
export function renderRestoreReport(report: Report<RestoreSample>): string {
  return renderVariants(report, {
    reference: 'baseline',
    ratioTitle: 'of pg_restore -j2',
    remark: 'every figure is of a whole process',
    columns: [
      {
        title: 'without ANALYZE',
        text: ({ samples, ratioOf }) =>
          samples.some((sample) => analyzeSecondsOf(sample) > 0)
            ? ratioOf((sample) => sample.seconds - analyzeSecondsOf(sample)).toFixed(2)
            : '',
      },
      cpuColumn(),
      {
        title: 'server CPU s',
        text: ({ medianOf }) => medianOf(({ serverCpuSeconds }) => serverCpuSeconds).toFixed(1),
      },
    ],
  })
}

function analyzeSecondsOf({ output }: RestoreSample): number {
  const told = output.startsWith('{') ? (JSON.parse(output) as { readonly analyzeSeconds?: number }) : {}
  return told.analyzeSeconds ?? 0
}
