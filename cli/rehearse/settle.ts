import { tmpdir } from 'node:os'
import { ConnectionLostError } from '../../lambda/engine/database.ts'
import { extensionError } from '../shadow/missing-extension.ts'
import type { ShadowServer } from '../shadow/shadow-server.ts'
import { explainTrial } from '../shadow/shadow.ts'
import type { PassOutcome } from './pass.ts'

const LOST = /connection was lost|cannot connect/i

/** A migration may have ended its own session. */
async function isThere(server: ShadowServer): Promise<boolean> {
  try {
    const connection = await server.connect('postgres')
    await connection.close()
    return true
  } catch {
    return false
  }
}

/** More roles than this are not missing from one run. */
const MOST_ROLES = 50

/**
 * Looks at what a run failed of: what is the fault of the scratch server is not that of the migrations.
 *
 * @param makesRoles - whether roles that turn out to be missing are made: nobody knows which there are in production
 * @returns what to make of a failed run; null: try it again
 * @throws LockstepError `CONFIG_INVALID` for an extension that the server lacks, `DATABASE_UNREACHABLE` when it is gone;
 *   what the signal says.
 */
export function settler(
  server: ShadowServer,
  { makesRoles, signal }: { readonly makesRoles: boolean; readonly signal: AbortSignal },
): (outcome: PassOutcome) => Promise<PassOutcome | null> {
  let made = 0
  return async (outcome) => {
    signal.throwIfAborted()
    const { error } = outcome.pass
    if (error === null) return outcome
    if (LOST.test(error.message) && !(await isThere(server))) throw explainTrial(new ConnectionLostError(error.message))
    const [, extension] = /extension "([^"]+)" is not available/.exec(error.message) ?? []
    if (extension !== undefined) throw extensionError(extension, error.migration ?? 'A migration')
    const [, role] = /role "([^"]+)" does not exist/.exec(error.message) ?? []
    if (makesRoles && role !== undefined && outcome.run?.rolledBack === true && made < MOST_ROLES) {
      made += 1
      if ((await server.createRoles([role])).length > 0) return null
    }
    if (error.sqlState?.startsWith('53') !== true) return outcome
    const place = server.isOwn ? `Free space under ${tmpdir()}, or give` : 'Make room there, or give'
    const remedy = `The scratch server lacks disk space, memory or locks, which says nothing of the migration. ${place} --shadow-url of a larger server.`
    return { ...outcome, pass: { ...outcome.pass, error: { ...error, remedy } } }
  }
}
