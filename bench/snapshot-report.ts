import { formatBytes } from '../cli/render/units.ts'
import type { Sample } from './snapshot-variants.ts'
import { cpuColumn, renderVariants, type Report } from './variant-report.ts'

export function renderSnapshotReport(report: Report<Sample>): string {
  const ours = report.rounds[0]?.samples.find(({ role }) => role === 'ours')?.output ?? '{}'
  const { startupSeconds = 0 } = JSON.parse(ours) as { readonly startupSeconds?: number }
  return renderVariants(report, {
    reference: 'limit',
    ratioTitle: 'of limit',
    remark: `Lockstep is its whole process, ${startupSeconds.toFixed(2)} s of it the start`,
    columns: [
      cpuColumn(),
      {
        title: 'stored',
        text: ({ samples }) => {
          const stored = samples[0]?.storedBytes ?? null
          return stored === null ? '' : formatBytes(stored)
        },
      },
    ],
  })
}
