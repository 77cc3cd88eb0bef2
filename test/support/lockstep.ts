import { compose, type Invocation } from '../../lambda/compose.ts'
import type { Config } from '../../lambda/config.ts'
import type { Lockstep } from '../../lambda/lockstep.ts'
import { DEFAULT_SNAPSHOT_SETTINGS } from '../../lambda/snapshot-settings.ts'
import { silentLog, type Log } from '../../lambda/log.ts'

/** A composed Lockstep on a database URL and a directory of migrations, without snapshots. */
export function lockstepFor(
  url: string,
  migrations: string,
  overrides: Partial<Config> = {},
  log: Log = silentLog,
  invocation: Invocation = {},
): Lockstep {
  return compose(
    {
      database: { kind: 'url', url },
      migrations: { kind: 'directory', directory: migrations },
      set: 'default',
      historySchema: 'lockstep',
      transaction: 'run',
      onRollback: 'revert',
      onFailure: 'revert',
      autoApply: true,
      snapshots: null,
      snapshotMode: 'none',
      ...DEFAULT_SNAPSHOT_SETTINGS,
      rds: null,
      migrationsDigest: null,
      totalTimeoutMs: null,
      lockTimeoutMs: 5000,
      connectTimeoutMs: 0,
      trigger: 'cli',
      policy: [],
      appliedBy: 'test',
      ...overrides,
    },
    log,
    invocation,
  )
}
