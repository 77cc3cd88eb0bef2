import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const POLL_MS = 25

export interface MemoryWatch {
  /** The most that was seen, in MB. */
  readonly peakMb: () => number
  readonly stop: () => void
}

/** Watches a process and calls `exceeded` once when it uses more than `limitMb`. */
export function watchMemory(pid: number, limitMb: number, exceeded: () => void): MemoryWatch {
  let peak = 0
  let stopped = false
  const poll = async (): Promise<void> => {
    const used = await memoryMb(pid)
    peak = Math.max(peak, used)
    if (stopped) return
    if (used > limitMb) exceeded()
    else setTimeout(() => void poll(), POLL_MS).unref()
  }
  void poll()
  return { peakMb: () => Math.ceil(peak), stop: () => void (stopped = true) }
}

/** Zero when the process is gone. On Linux without file pages, which the kernel takes back before it kills. */
async function memoryMb(pid: number): Promise<number> {
  try {
    if (process.platform !== 'linux') {
      const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)])
      return Number(stdout) / 1024
    }
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    return [...status.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB$/gm)].reduce((sum, [, kb]) => sum + Number(kb), 0) / 1024
  } catch {
    return 0
  }
}
