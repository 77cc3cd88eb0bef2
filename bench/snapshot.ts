import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleModules } from '../infra/bundle-runtime.ts'
import type { BenchOptions } from './options.ts'
import { pgDumpMajor, requirePrograms, withDebianServer } from './debian-server.ts'
import { createLargeDatabase, createSmallDatabase, SMALL_TABLES } from './snapshot-data.ts'
import { renderReport, type Report, type Round } from './snapshot-report.ts'
import { outputPath, textBytesOf, variantsFor, type Variant } from './snapshot-variants.ts'

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
    const child = await writeBundle(join(directory, 'bundle'))
    await withSink(async (sink) => {
      await withDebianServer(directory, async (server) => {
        const major = await pgDumpMajor()
        const databases = [
          [`${scale} GB, one table with four fifths of it`, await createLargeDatabase(server, 'large', scale)],
          [`${SMALL_TABLES} small tables`, await createSmallDatabase(server, 'small')],
        ] as const
        const reports: Report[] = []
        for (const [title, url] of databases) {
          const variants = await variantsFor({ url, directory, child, sink, connections: 2, pgDumpMajor: major })
          const rounds = await runRounds(variants, runs, directory)
          const report = { title, textBytes: await textBytesOf(url), rounds }
          reports.push(report)
          tell(renderReport(report))
        }
        if (json) process.stdout.write(`${JSON.stringify(reports, null, 2)}\n`)
      })
    })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Each round runs every variant once, so that what the machine does meanwhile meets all of them. */
async function runRounds(variants: readonly Variant[], runs: number, directory: string): Promise<readonly Round[]> {
  const rounds: Round[] = []
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

/** The path of the child's module, bundled as the function is. */
async function writeBundle(directory: string): Promise<string> {
  await mkdir(directory)
  const files = bundleModules({
    child: 'bench/snapshot-child.ts',
    'pg-dump-worker': 'lambda/snapshot/pg-dump-worker.ts',
  })
  for (const { path, contents } of files) await writeFile(join(directory, path), contents)
  return join(directory, 'child.mjs')
}

async function withSink(work: (url: string) => Promise<void>): Promise<void> {
  const path = new URL('s3-sink.ts', import.meta.url).pathname
  const sink = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const url = await new Promise<string>((resolve, reject) => {
      sink.once('error', reject)
      sink.stdout.once('data', (line: Buffer) => resolve(line.toString().trim()))
    })
    await work(url)
  } finally {
    sink.kill()
  }
}
