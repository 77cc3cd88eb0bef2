import { LockstepError, UNTOUCHED } from '../../errors.ts'
import type { EngineContext } from '../context.ts'
import type { Connection } from '../database.ts'

/** A session as a pooler may show it: the server process that answered its first statement, and the lock taken there. */
export interface Pooled {
  readonly connection: Connection
  readonly backend: number
  readonly lockKey: string
}

const ROUNDS = 4
const UNLOCK_ROUNDS = 10
/** A second session that gets no server session by then proves nothing: the pool is small. Milliseconds. */
const PATIENCE_MS = 2000
const ASK = 'SELECT pg_catalog.pg_backend_pid() AS backend'
/** Long enough for two sessions to be busy at once. */
const ASK_SLOWLY = 'SELECT pg_catalog.pg_backend_pid() AS backend FROM pg_catalog.pg_sleep(0.03)'

/**
 * Refuses a pooler that gives a session another server session from one transaction to the next: a session's lock would
 * not be ours. Only on proof: a statement of ours that ran elsewhere, or another session's that ran where ours do.
 *
 * @throws LockstepError `CONFIG_INVALID`
 */
export async function refuseChangingServerSession(context: EngineContext, pooled: Pooled): Promise<void> {
  const second = await context.connect().catch(() => null)
  if (second === null) return
  try {
    const proof = await findProof(context, pooled, second)
    if (proof === null) return
    const freed = await letGo(pooled, second)
    throw refusal(pooled, proof, freed)
  } finally {
    await second.close()
  }
}

async function findProof(context: EngineContext, pooled: Pooled, second: Connection): Promise<string | null> {
  const { connection, backend } = pooled
  const others = async (sql: string): Promise<number | null> => {
    const answer = await Promise.race([backendOf(second, sql), context.clock.sleep(PATIENCE_MS).then(() => null)])
    if (answer === null) second.abandon()
    return answer
  }
  for (let round = 0; round < ROUNDS && second.isOpen(); round += 1) {
    const sequence = [[await others(ASK), await backendOf(connection, ASK)]]
    sequence.push(await Promise.all([others(ASK_SLOWLY), backendOf(connection, ASK_SLOWLY)]))
    for (const [other, own] of sequence) {
      if (typeof own === 'number' && own !== backend) return `a later one ran on server process ${own}`
      if (other === backend) return 'a statement of another session ran there as well'
    }
  }
  return null
}

/** Null when the session is lost. */
async function backendOf(connection: Connection, sql: string): Promise<number | null> {
  const results = await connection.execute(sql).catch(() => [])
  const backend = results.at(-1)?.rows[0]?.backend
  return typeof backend === 'number' ? backend : null
}

/** Whether the lock is given back, and with it the settings that belong to no one now. */
async function letGo({ connection, backend, lockKey }: Pooled, second: Connection): Promise<boolean> {
  const sql = `SELECT pg_catalog.pg_advisory_unlock(${lockKey}) AS freed,
  (SELECT count(pg_catalog.set_config(name, reset_val, false)) FROM pg_catalog.pg_settings
    WHERE source = 'session' AND name ~ '(_timeout|^tcp_keepalives_.*|_check_interval)$') AS settings
WHERE pg_catalog.pg_backend_pid() = ${backend};
${ASK_SLOWLY}`
  for (let round = 0; round < UNLOCK_ROUNDS; round += 1) {
    // Both at once: a pooler gives two sessions that are busy two server sessions.
    const answers = await Promise.all([second, connection].map((session) => session.execute(sql).catch(() => [])))
    if (answers.some((results) => (results[0]?.rows.length ?? 0) > 0)) return true
  }
  return false
}

function refusal({ connection, backend }: Pooled, proof: string, freed: boolean): LockstepError {
  const left = freed
    ? ''
    : ` If a later run waits for the lock, it was left there: end it with SELECT pg_terminate_backend(${backend}).`
  return new LockstepError({
    code: 'CONFIG_INVALID',
    message: `A pooler at ${connection.server} runs the statements of one session on changing server sessions: the first ran on server process ${backend}, and ${proof}. The lock that keeps other runs away does not hold there.`,
    state: UNTOUCHED,
    remedy: `Connect to the server directly, or to a pool in session mode.${left}`,
  })
}
