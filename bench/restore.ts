import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { withServerProcess, writeBundle } from './child-programs.ts'
import { requirePrograms, withDebianServer } from './debian-server.ts'
import type { BenchOptions } from './options.ts'
import { runProgram } from './process.ts'
import { renderRestoreReport } from './restore-report.ts'
import { restoreVariants, writeDumps, type RestoreSample, type RestoreVariant } from './restore-variants.ts'
import { createLargeDatabase, createSmallDatabase, SMALL_TABLES } from './snapshot-data.ts'
import { textBytesOf } from './snapshot-variants.ts'
import type { Report, Round } from './variant-report.ts'

/**
 * `restore`: restores the databases of `snapshot` into new ones, from a directory and from an S3 endpoint on this
 * machine, beside pg_restore and psql with dumps of the same databases, in turn on the same server.
 */
export async function benchRestore({ runs, scale, json }: BenchOptions): Promise<void> {
  await requirePrograms({ psql: 'postgresql-client', '/usr/bin/time': 'time' })
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-bench-'))
  const tell = (text: string): void => void (json ? process.stderr : process.stdout).write(`${text}\n`)
  try {
    const snapshotChild = await writeBundle(join(directory, 'snapshot'), 'bench/snapshot-child.ts')
    const child = await writeBundle(join(directory, 'restore'), 'bench/restore-child.ts')
    const store = join(directory, 'store')
    await mkdir(store)
    await withServerProcess('s3-source.ts', [store], async (s3) => {
      await withDebianServer(directory, async (server) => {
        const databases = [
          [`${scale} GB, one table with four fifths of it`, await createLargeDatabase(server, 'large', scale)],
          [`${SMALL_TABLES} small tables`, await createSmallDatabase(server, 'small')],
        ] as const
        const reports: Report<RestoreSample>[] = []
        for (const [title, url] of databases) {
          const name = new URL(url).pathname.slice(1)
          const dumps = join(directory, name)
          await writeDumps(url, dumps)
          await runProgram(process.execPath, [snapshotChild, url, store])
          const snapshot = { store: pathToFileURL(store).href, key: await keyOf(store, name) }
          const variants = restoreVariants({
            server,
            serverDirectory: join(directory, 'server'),
            directory,
            child,
            snapshot,
            s3,
            dumps,
          })
          const report = { title, textBytes: await textBytesOf(url), rounds: await runRounds(variants, runs) }
          reports.push(report)
          tell(renderRestoreReport(report))
        }
        if (json) process.stdout.write(`${JSON.stringify(reports, null, 2)}\n`)
      })
    })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Of the only snapshot of a database. */
async function keyOf(store: string, database: string): Promise<string> {
  const [snapshot = ''] = await readdir(join(store, database))
  return `${database}/${snapshot}`
}

/** Each round runs every variant once, so that what the machine does meanwhile meets all of them. */
async function runRounds(variants: readonly RestoreVariant[], runs: number): Promise<readonly Round<RestoreSample>[]> {
  const rounds: Round<RestoreSample>[] = []
  for (let run = 0; run < runs; run += 1) {
    const samples = []
    for (const variant of variants) samples.push({ name: variant.name, role: variant.role, ...(await variant.run()) })
    rounds.push({ samples })
  }
  return rounds
}
