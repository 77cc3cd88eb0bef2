import type { Job } from './post-data-plan.ts'

/** A job below it takes less time than the round trip and the commit that it costs. Bytes of the snapshot. */
const LIGHT_WEIGHT = 1024 * 1024
const TOGETHER = 25

/** Statements that one session runs in one go. */
export interface JobGroup {
  readonly statements: readonly string[]
  readonly settings: readonly string[]
  /** Indexes of groups. */
  readonly after: readonly number[]
  readonly weight: number
}

/**
 * Puts light jobs together that wait for light ones only: first those that wait for none, then those that wait for
 * these, and so on. So no group waits for itself, and none for a heavy job that only one of its own waits for. Pure.
 */
export function mergeJobs(jobs: readonly Job[]): readonly JobGroup[] {
  const levels = levelsOf(jobs)
  const groupOf: number[] = []
  const members: number[][] = []
  const open = new Map<number, number>()
  jobs.forEach((job, index) => {
    const level = levels[index] ?? null
    const candidate = level === null ? undefined : open.get(level)
    const first = candidate === undefined ? undefined : members[candidate]?.[0]
    const fits =
      candidate !== undefined &&
      (members[candidate]?.length ?? TOGETHER) < TOGETHER &&
      jobs[first ?? -1]?.settings === job.settings
    const group = fits ? candidate : members.push([]) - 1
    members[group]?.push(index)
    groupOf[index] = group
    if (level !== null) open.set(level, group)
  })
  return members.map((own, group) => toGroup(jobs, own, { group, groupOf }))
}

/** How many light jobs come one after the other before it; null: it is heavy, or waits for a heavy one. */
function levelsOf(jobs: readonly Job[]): readonly (number | null)[] {
  const levels: (number | null)[] = []
  for (const { after, weight } of jobs) {
    const before = after.map((index) => levels[index] ?? null)
    const isLight = weight < LIGHT_WEIGHT && !before.includes(null)
    levels.push(isLight ? 1 + Math.max(-1, ...before.filter((level) => level !== null)) : null)
  }
  return levels
}

function toGroup(
  jobs: readonly Job[],
  members: readonly number[],
  { group, groupOf }: { readonly group: number; readonly groupOf: readonly number[] },
): JobGroup {
  const after = members.flatMap((index) => (jobs[index]?.after ?? []).map((earlier) => groupOf[earlier] ?? group))
  return {
    statements: members.map((index) => jobs[index]?.sql ?? ''),
    settings: jobs[members[0] ?? 0]?.settings ?? [],
    after: [...new Set(after)].toSorted((a, b) => a - b),
    weight: members.reduce((total, index) => total + (jobs[index]?.weight ?? 0), 0),
  }
}
