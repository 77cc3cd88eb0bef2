import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withServerProcess, writeBundle } from './child-programs.ts'
import type { BenchOptions } from './options.ts'
import { pgDumpMajor, requirePrograms, withDebianServer } from './debian-server.ts'
import { createLargeDatabase, createSmallDatabase, SMALL_TABLES } from './snapshot-data.ts'
import { renderSnapshotReport } from './snapshot-report.ts'
import { outputPath, textBytesOf, variantsFor, type Sample, type Variant } from './snapshot-variants.ts'
import type { Report, Round } from './variant-report.ts'

/**
 * `snapshot`: copies a database of `scale` gigabytes with one large table, and one of 2,000 small tables, beside what
 * the server and the machine can do at most and beside pg_dump, in turn on the same server. `to S3` is an endpoint that
 * discards what it gets: real S3 is neither this near nor on this machine's cores.
 */
export async function benchSnapshot({ runs, scale, json }: BenchOptions): Promise<void> {
  await requirePrograms({ psql: 'postgresql-client', zstd: 'zstd', '/usr/bin/time': 'time', bc: 'bc' })
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-bench-'))
  const tell = (text: string): void => void (json ? process.stderr : process.stdout).write(`${text}\n`)
  try {
    const child = await writeBundle(join(directory, 'bundle'), 'bench/snapshot-child.ts')
    await withServerProcess('s3-sink.ts', [], async (sink) => {
      await withDebianServer(directory, async (server) => {
        const major = await pgDumpMajor()
        const databases = [
          [`${scale} GB, one table with four fifths of it`, await createLargeDatabase(server, 'large', scale)],
          [`${SMALL_TABLES} small tables`, await createSmallDatabase(server, 'small')],
        ] as const
        const reports: Report<Sample>[] = []
        for (const [title, url] of databases) {
          const variants = await variantsFor({ url, directory, child, sink, connections: 2, pgDumpMajor: major })
          const rounds = await runRounds(variants, runs, directory)
          const report = { title, textBytes: await textBytesOf(url), rounds }
          reports.push(report)
          tell(renderSnapshotReport(report))
        }
        if (json) process.stdout.write(`${JSON.stringify(reports, null, 2)}\n`)
      })
    })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Each round runs every variant once, so that what the machine does meanwhile meets all of them. */
async function runRounds(
  variants: readonly Variant[],
  runs: number,
  directory: string,
): Promise<readonly Round<Sample>[]> {
  const rounds: Round<Sample>[] = []
  const output = outputPath(directory)
  // The first round only warms up the server and the file cache.
  for (let run = 0; run <= runs; run += 1) {
    const samples = []
    for (const variant of run === 0 ? variants.filter(({ role }) => role === 'raw') : variants) {
      samples.push({ name: variant.name, role: variant.role, ...(await variant.run(output)) })
      await rm(output, { recursive: true, force: true })
    }
    if (run > 0) rounds.push({ samples })
  }
  return rounds
}
