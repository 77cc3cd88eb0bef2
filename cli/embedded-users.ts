import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { LockstepError, messageOf, UNTOUCHED } from '../lambda/errors.ts'

/** Longer than any start or stop of a server takes: an older lock was left by a process that was killed. */
const LOCK_PATIENCE_MS = 90_000

/**
 * Does `work` while no other process starts or stops the server under `directory`, so that nobody attaches to a server
 * that is about to stop.
 *
 * @throws LockstepError `LOCK_HELD` when another process does not give the lock back.
 */
export async function exclusively<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const file = join(directory, 'lock')
  const deadline = Date.now() + LOCK_PATIENCE_MS
  while (!(await takeLock(file))) {
    if (isStale(file)) rmSync(file, { force: true })
    if (Date.now() > deadline) throw held(file)
    await delay(25)
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

async function takeLock(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

function isStale(file: string): boolean {
  try {
    const holder = Number(readFileSync(file, 'utf8'))
    const ageMs = Date.now() - statSync(file).mtimeMs
    // Empty for the instant between its creation and its first byte.
    if (holder === 0) return ageMs > 1000
    return !isAlive(holder) || ageMs > LOCK_PATIENCE_MS
  } catch {
    return false
  }
}

function held(file: string): LockstepError {
  return new LockstepError({
    code: 'LOCK_HELD',
    message: `Another command is starting or stopping the embedded PostgreSQL and does not finish: ${file} is held.`,
    state: UNTOUCHED,
    remedy: `Wait for it or end it; if there is none, delete ${file}.`,
  })
}

/** True when a process with this id runs, whoever owns it. */
export function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0)
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
  return !isZombie(processId)
}

/** In a container whose first process does not reap, what has ended stays in the process table. */
function isZombie(processId: number): boolean {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')')).startsWith(') Z')
  } catch {
    return false
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : messageOf(error)
}

/** One command's note that it uses the server. */
export interface User {
  /** Takes the note away; true when nobody else uses the server. Synchronous, for the end of the process. */
  readonly leave: () => boolean
}

/** Notes that this process uses the server under `directory`. */
export async function register(directory: string): Promise<User> {
  const users = join(directory, 'users')
  await mkdir(users, { recursive: true })
  const file = join(users, `${process.pid}.${randomUUID()}`)
  await writeFile(file, '')
  return {
    leave: () => {
      rmSync(file, { force: true })
      return removeDead(users) === 0
    },
  }
}

/** Forgets users that were killed, and counts the others. */
function removeDead(users: string): number {
  const names = readdirSync(users)
  const dead = names.filter((name) => !isAlive(Number(name.split('.')[0])))
  for (const name of dead) rmSync(join(users, name), { force: true })
  return names.length - dead.length
}
