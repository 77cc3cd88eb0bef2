import type { RestoreSnapshot } from './engine/failure/restorable.ts'
import { LockstepError, UNTOUCHED } from './errors.ts'
import type { Lockstep } from './lockstep.ts'
import { restoreSnapshot } from './snapshot/restore.ts'

/**
 * How the runs of a composition restore the snapshot that they took.
 *
 * @throws LockstepError `CONFIG_INVALID` when they take none, or one that lacks rows.
 */
export function restoreFor(lockstep: Lockstep): RestoreSnapshot {
  const { snapshotMode, snapshotScope, snapshotExclude } = lockstep.config
  if (snapshotMode !== 'logical') throw withoutSnapshot(snapshotMode)
  if (snapshotScope.kind !== 'database') throw withoutRows(`snapshots hold only "${snapshotScope.kind}"`)
  if (snapshotExclude.length > 0) throw withoutRows(`snapshots leave out ${snapshotExclude.join(', ')}`)
  return async (uri, seal) => {
    await restoreSnapshot(lockstep.snapshots(), {
      uri,
      seal: async ({ database, replaced }) => {
        if (replaced === null) throw new Error('the database that the snapshot was taken of is not there any more')
        const copy = await lockstep.connect(database)
        try {
          await seal(copy, replaced)
        } finally {
          await copy.close()
        }
      },
    })
  }
}

/** What takes the place of the database must hold all that it held. */
function withoutRows(what: string): LockstepError {
  return new LockstepError({
    code: 'CONFIG_INVALID',
    message: `A failure is to restore the snapshot (onFailure is "restore"), but ${what}: it could not take the place of the database.`,
    state: UNTOUCHED,
    remedy: 'Take snapshots of the whole database (scope "database", nothing excluded), or choose onFailure "revert".',
  })
}

function withoutSnapshot(mode: 'rds' | 'none'): LockstepError {
  const taken = mode === 'none' ? 'none is taken' : 'it is one of the storage, which RDS does not put in place'
  return new LockstepError({
    code: 'CONFIG_INVALID',
    message: `A failure is to restore the snapshot (onFailure is "restore"), but ${taken}.`,
    state: UNTOUCHED,
    remedy:
      'Have a logical one taken (on the command line: give --snapshots with a directory or s3://bucket/prefix, and not --no-snapshot), or choose onFailure "revert".',
  })
}
