import { messageOf } from '../errors.ts'
import { sqlStateOf } from './failure.ts'
import { Fault } from './fault.ts'

/**
 * What a server that is older than the snapshot's refuses, it most likely does not know.
 *
 * @param from The snapshot's version, as a number.
 * @param to That of the server.
 */
export function refusedByOlder(error: unknown, from: number, to: number): unknown {
  const [own, here] = [majorOf(from), majorOf(to)]
  if (here >= own || sqlStateOf(error) === undefined) return error
  return new Fault(
    messageOf(error),
    `The snapshot is of PostgreSQL ${own}, and this server is PostgreSQL ${here}, which does not know all of it: restore it to PostgreSQL ${own} or newer.`,
    error,
  )
}

function majorOf(versionNumber: number): number {
  return Math.floor(versionNumber / 10_000)
}
