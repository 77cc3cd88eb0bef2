import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeFiles } from '../../support/source-files.ts'
import { FIRST, runCli, SECOND, writeGoodSet } from './run-cli.ts'

const POSTGRES = join('.lockstep', 'postgres')

test('without a URL commands share an embedded database, even two at once, and stop it behind them', async () => {
  const directory = await writeFiles({})
  const args = ['--migrations', await writeGoodSet(), '--json']
  const isRunning = (): boolean => existsSync(join(directory, POSTGRES, 'data', 'postmaster.pid'))

  // The cluster does not exist yet: one command makes it, and the other waits.
  const both = await Promise.all([
    runCli(['up', ...args], { directory }),
    runCli(['up', '--no-snapshot', ...args], { directory }),
  ])

  expect(both.map((result) => result.exitCode)).toEqual([0, 0])
  const applied = both.map((result) => result.document().applied)
  expect(applied).toEqual(expect.arrayContaining([[], [FIRST, SECOND]]))
  expect(isRunning()).toBe(false)
  const status = await runCli(['status', ...args], { directory })
  expect(status.document()).toMatchObject({ database: 'app', current: SECOND, upToDate: true })
  const snapshots = await runCli(['down', ...args], { directory })
  expect(snapshots.document()).toMatchObject({
    reverted: [SECOND],
    snapshot: expect.stringContaining(join(directory, '.lockstep', 'snapshots', 'app')),
  })
  expect(isRunning()).toBe(false)

  const password = (await readFile(join(directory, POSTGRES, 'password'), 'utf8')).trim()
  const output = [...both, status, snapshots].flatMap(({ stdout, stderr }) => [stdout, stderr]).join('')
  expect(output).not.toContain(password)
})
