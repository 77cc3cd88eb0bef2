import type pg from 'pg'
import { sqlStateOf } from './failure.ts'
import { mergeJobs, type JobGroup } from './merge-jobs.ts'
import type { PostDataStep } from './post-data-plan.ts'
import type { SessionPool } from './session-pool.ts'
import { runStatement, runTogether } from './sql-script.ts'
import { together } from './together.ts'

/**
 * Runs the steps of a script. Serial steps run in the first session.
 *
 * @throws Fault naming the script and the statement.
 */
export async function runPostData(pool: SessionPool, script: string, steps: readonly PostDataStep[]): Promise<void> {
  const run = statementRunner(script)
  for (const step of steps) {
    if (step.kind === 'parallel') await runGroups(pool, mergeJobs(step.jobs), run)
    else for (const { sql, settings } of step.statements) await run(pool.sessions[0], [sql], settings)
  }
}

type RunStatements = (session: pg.Client, statements: readonly string[], settings: readonly string[]) => Promise<void>

/** Brings the session's settings up to date first. */
function statementRunner(script: string): RunStatements {
  const applied = new WeakMap<pg.Client, readonly string[]>()
  return async (session, statements, settings) => {
    const before = applied.get(session) ?? []
    if (before !== settings) {
      for (const setting of settings) if (!before.includes(setting)) await runStatement(session, script, setting)
      applied.set(session, settings)
    }
    await runTogether(session, script, statements, async (sql, error) => runAgain(session, script, { sql, error }))
  }
}

/** A function of the user's in an index or a check may read other tables, whose locks nobody can foresee. */
const DEADLOCK = '40P01'
const ATTEMPTS = 5

/** Only the statement itself: those before it are done. */
async function runAgain(
  session: pg.Client,
  script: string,
  { sql, error }: { readonly sql: string; readonly error: unknown },
): Promise<void> {
  let failure = error
  for (let attempt = 2; sqlStateOf(failure) === DEADLOCK && attempt <= ATTEMPTS; attempt += 1) {
    try {
      return await runStatement(session, script, sql)
    } catch (again) {
      failure = again
    }
  }
  throw failure
}

async function runGroups(
  { sessions, cut }: SessionPool,
  groups: readonly JobGroup[],
  run: RunStatements,
): Promise<void> {
  const queue = createQueue(groups)
  const serve = async (session: pg.Client): Promise<void> => {
    for (let group = await queue.take(); group !== null; group = await queue.take()) {
      const { statements, settings } = groups[group] as JobGroup
      try {
        await run(session, statements, settings)
      } catch (error) {
        queue.stop()
        throw error
      }
      queue.finish(group)
    }
  }
  await together(sessions.map(serve), cut)
}

interface Queue {
  /** The heaviest job that waits for nothing any more; null when there is none left. */
  readonly take: () => Promise<number | null>
  readonly finish: (job: number) => void
  readonly stop: () => void
}

function createQueue(jobs: readonly JobGroup[]): Queue {
  const missing = jobs.map(({ after }) => after.length)
  const followers = jobs.map((): number[] => [])
  jobs.forEach(({ after }, index) => after.forEach((earlier) => followers[earlier]?.push(index)))
  const ready = jobs.flatMap((_, index) => (missing[index] === 0 ? [index] : []))
  const state = { left: jobs.length, isStopped: false }
  let changed = Promise.withResolvers<void>()
  const announce = (): void => {
    changed.resolve()
    changed = Promise.withResolvers()
  }
  return {
    take: async () => {
      while (ready.length === 0 && state.left > 0 && !state.isStopped) await changed.promise
      return state.isStopped ? null : takeHeaviest(ready, jobs)
    },
    finish: (job) => {
      state.left -= 1
      for (const follower of followers[job] ?? []) {
        missing[follower] = (missing[follower] ?? 0) - 1
        if (missing[follower] === 0) ready.push(follower)
      }
      announce()
    },
    stop: () => {
      state.isStopped = true
      announce()
    },
  }
}

function takeHeaviest(ready: number[], jobs: readonly JobGroup[]): number | null {
  let best = 0
  for (let index = 1; index < ready.length; index += 1) {
    if (weightAt(ready, jobs, index) > weightAt(ready, jobs, best)) best = index
  }
  return ready.splice(best, 1)[0] ?? null
}

function weightAt(ready: readonly number[], jobs: readonly JobGroup[], index: number): number {
  return jobs[ready[index] ?? -1]?.weight ?? 0
}
