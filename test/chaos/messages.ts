import type { Scenario } from './scenario.ts'

const CONNECT_MESSAGES = 3
/** Lock, state, record of the run, look for constraints; unlock and leave. */
const RUN_MESSAGES = 7
const RESTORE_MESSAGES = 40
const SNAPSHOT_MESSAGES = 90

/** About how many messages the run sends. */
export function messagesOf(
  run: Pick<Scenario, 'set' | 'action' | 'direction' | 'start' | 'target' | 'takesSnapshot'>,
): number {
  const { set, action, direction, start, target, takesSnapshot } = run
  if (action === 'restore') return RESTORE_MESSAGES + start * 2
  const steps = set.slice(Math.min(start, target), Math.max(start, target))
  const each = steps.map((migration) => {
    const pieces = migration[direction]
    // Outside of a transaction: the progress after each, and the look for invalid indexes before a build.
    return migration.transactional
      ? pieces.length + 2
      : pieces.length * 2 + pieces.filter(({ alone }) => alone).length + 3
  })
  const snapshot = takesSnapshot ? SNAPSHOT_MESSAGES + start * 2 : 0
  return CONNECT_MESSAGES + RUN_MESSAGES + snapshot + each.reduce((sum, count) => sum + count, 0)
}
