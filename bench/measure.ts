import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runProgram } from './process.ts'

/** What a command came to. CPU and memory are those of the command and its children, not of the server. */
export interface Measured {
  readonly seconds: number
  readonly cpuSeconds: number
  /** Of the largest process. */
  readonly peakMb: number
  readonly output: string
}

/** Runs a shell command to its end under GNU time. */
export async function measure(
  command: string,
  directory: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Measured> {
  const own = await mkdtemp(join(directory, 'time-'))
  const report = join(own, 'report')
  try {
    const { seconds, output } = await runProgram(
      '/usr/bin/time',
      ['-f', '%U %S %M', '-o', report, 'bash', '-o', 'pipefail', '-ec', command],
      { ...process.env, ...environment },
    )
    const [user = 0, system = 0, kilobytes = 0] = (await readFile(report, 'utf8')).trim().split(' ').map(Number)
    return { seconds, cpuSeconds: user + system, peakMb: kilobytes / 1000, output }
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}
