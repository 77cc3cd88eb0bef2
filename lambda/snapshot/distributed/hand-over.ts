import type pg from 'pg'
import { Fault } from '../fault.ts'
import type { Begun, DistributedContext } from './distributed-context.ts'
import { readViews } from './held-view.ts'
import { holdView, ownerOf } from './hold-view.ts'
import { readJson, workKeys, type WorkList } from './work-list.ts'

/** The part of the time it had that is left when it gives up. */
const LEFT = 0.1
/** The invocations that take turns to hold the view. */
const TURNS = 2

/**
 * Holds the view on the session that has begun it until two others hold it, or the copy has ended. As long as somebody
 * waits to change a table they cannot: then this session alone has locked it, and copies what workers were refused.
 */
export async function handOver(context: DistributedContext, client: pg.Client, { name, prefix }: Begun): Promise<void> {
  const { store, executions, remainingMs } = context
  const list = await readJson<WorkList>(store, workKeys(prefix).list)
  const reserve = remainingMs() === Infinity ? 0 : remainingMs() * LEFT
  let others: readonly number[] = []
  await holdView({ ...context, prefix }, client, list, {
    mayLeave: async () => {
      others = (await readViews(store, prefix)).map(({ slot }) => slot).filter((slot) => slot !== 0)
      if (others.length === TURNS || (await executions.find(name))?.status !== 'running') return true
      if (remainingMs() < reserve) throw notTakenOver()
      return false
    },
    own: async (refused) => refused.filter((item) => !others.includes(ownerOf(item))),
  })
}

function notTakenOver(): Fault {
  return new Fault(
    'no other invocation of the function took over the consistent view.',
    'Look at the execution in the Step Functions console: the function may have no concurrency left, or no connection to the database. Stop what waits to change tables while the snapshot is made.',
  )
}
