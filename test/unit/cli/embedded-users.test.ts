import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exclusively, isAlive, register } from '../../../cli/embedded-users.ts'
import { writeFiles } from '../../support/source-files.ts'

/** The id of a process that has just ended. */
function deadProcess(): number {
  return spawnSync(process.execPath, ['--version']).pid
}

test('work is done by one at a time', async () => {
  const directory = await writeFiles({})
  const events: string[] = []
  const work = (name: string) => async (): Promise<void> => {
    events.push(`${name} begins`)
    await delay(40)
    events.push(`${name} ends`)
  }

  await Promise.all([exclusively(directory, work('first')), exclusively(directory, work('second'))])

  expect(events.map((event) => event.split(' ')[1])).toEqual(['begins', 'ends', 'begins', 'ends'])
  expect(existsSync(join(directory, 'lock'))).toBe(false)
})

test('the lock is given back when the work fails', async () => {
  const directory = await writeFiles({})

  await expect(exclusively(directory, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await exclusively(directory, async () => 'again')).toBe('again')
})

test('the lock of a process that was killed is taken over', async () => {
  const directory = await writeFiles({ lock: String(deadProcess()) })

  expect(await exclusively(directory, async () => 'taken')).toBe('taken')
})

test('the last to leave is told so; those that were killed do not count', async () => {
  const directory = await writeFiles({ [`users/${deadProcess()}.left`]: '' })
  const [first, second] = [await register(directory), await register(directory)]

  expect(first.leave()).toBe(false)
  expect(second.leave()).toBe(true)
})

test('a process is alive until it ends', () => {
  expect(isAlive(process.pid)).toBe(true)
  expect(isAlive(deadProcess())).toBe(false)
})
