import { spawnSync } from 'node:child_process'
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** `npm test`: every static check, then every test. Ends with the line `N passed, N failed`. */

interface Check {
  readonly title: string
  readonly args: readonly string[]
}

const bin = (path: string): string => join('node_modules', path)

const STATIC_CHECKS: readonly Check[] = [
  { title: 'types (tsc)', args: [bin('typescript/bin/tsc'), '--noEmit'] },
  { title: 'lint (oxlint, type-aware)', args: [bin('oxlint/bin/oxlint'), '--type-aware', '--quiet'] },
  { title: 'format (oxfmt)', args: [bin('oxfmt/bin/oxfmt'), '--check'] },
  { title: 'unused files, exports and dependencies (knip)', args: [bin('knip/bin/knip.js')] },
]

interface Tally {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

function runStatic({ title, args }: Check): boolean {
  const began = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(`${status === 0 ? 'ok' : 'FAILED'}  ${title} (${seconds} s)`)
  if (status !== 0) console.log(`${stdout}${stderr}`)
  return status === 0
}

/** Where Linux has files in memory. */
const MEMORY = '/dev/shm'
/** Of which a whole run takes 0.6 GB at most. */
const MEMORY_NEEDED_BYTES = 4e9

/** Thousands of databases are made and dropped: a file system on a disk has the kernel search for free inodes. */
function placeForTests(): string {
  try {
    accessSync(MEMORY, constants.W_OK)
    const { bavail, bsize } = statfsSync(MEMORY)
    return bavail * bsize >= MEMORY_NEEDED_BYTES ? MEMORY : tmpdir()
  } catch {
    return tmpdir()
  }
}

function runTests(filters: readonly string[]): Tally {
  const directory = mkdtempSync(join(placeForTests(), 'lockstep-check-'))
  const report = join(directory, 'report.json')
  // Ctrl-C ends the tests; this process goes on, to clear away what is in memory.
  process.once('SIGINT', () => {})
  try {
    const args = [
      bin('vitest/vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...filters,
    ]
    const env = { ...process.env, TMPDIR: directory }
    const { status } = spawnSync(process.execPath, args, { env, stdio: ['ignore', 'inherit', 'inherit'] })
    return tallyOf(report, status)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** A run that ended badly without a failed test (a crash, an error outside of the tests) counts as one failure. */
function tallyOf(report: string, status: number | null): Tally {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
      readFileSync(report, 'utf8'),
    ) as Record<'numPassedTests' | 'numFailedTests' | 'numPendingTests' | 'numTodoTests', number>
    const failed = status !== 0 && numFailedTests === 0 ? 1 : numFailedTests
    return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests }
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

const checks = STATIC_CHECKS.map(runStatic)
const tests = runTests(process.argv.slice(2))
const passed = checks.filter(Boolean).length + tests.passed
const failed = checks.filter((ok) => !ok).length + tests.failed
console.log(`${passed} passed, ${failed} failed${tests.skipped > 0 ? `, ${tests.skipped} skipped` : ''}`)
process.exitCode = failed === 0 ? 0 : 1
