import type { ErrorCode } from '../lambda/errors.ts'

/** What docs/errors.md says of a code. The error itself says more: values, the state that was found, the remedy. */
export interface Explanation {
  readonly means: string
  /** What state the database is in. */
  readonly database: string
  readonly remedy: string
}

const UNTOUCHED = 'Not touched.'
/** Of errors that a plan finds. */
const REFUSED = 'Not touched: the run was refused before its snapshot.'

export const EXPLANATIONS = {
  CONFIG_INVALID: {
    means:
      'A setting, an option, an environment variable or a file cannot be used: a wrong value, a folder without permission, two options that contradict each other. Also a target that cannot be migrated: a read-only replica, a pooler in transaction mode, a user without the privilege to keep the history, a history of a newer format.',
    database: UNTOUCHED,
    remedy: 'Correct the value that the message names.',
  },
  SECRET_UNREADABLE: {
    means:
      'The secret with the credentials cannot be read, or lacks a key (`username`, `password`; `host` where none is given).',
    database: UNTOUCHED,
    remedy:
      'By the message: permission of the function on the secret and its key, a route to Secrets Manager (endpoint or NAT), or the keys of the secret. `{"action":"health"}` tries again.',
  },
  DATABASE_UNREACHABLE: {
    means:
      'No session within `connectTimeout` or the time of the function, a wrong password, no such database; or the connection was lost in a run and could not be had again.',
    database:
      'Not touched when it was before the run. In a run: what was not committed is undone by the server, what was is in the history.',
    remedy:
      'By the message: server, security groups, routes, port, TLS, password, `max_connections`. After a run run `status` first; the next run goes on from what is committed.',
  },
  LOCK_HELD: {
    means:
      'Another run of the same set is under way, and did not end within `lockTimeout`. The message names its session.',
    database: 'Not touched by this run. The other one may be changing it.',
    remedy: 'Wait. A session that nobody needs can be ended with the statement in the message: the lock goes with it.',
  },
  HISTORY_FILE_MISSING: {
    means: 'A migration is applied, but the files do not have it.',
    database: REFUSED,
    remedy: 'Restore the file from version control, or revert the migration with `down`: the history has its source.',
  },
  HISTORY_CHECKSUM_CHANGED: {
    means:
      'The file of an applied migration was changed; or a half applied one no longer begins with the statements that have run.',
    database: REFUSED,
    remedy: 'Restore the text that was applied, and put the change into a new migration.',
  },
  HISTORY_OUT_OF_ORDER: {
    means: 'A migration is pending, but one that comes after it is applied.',
    database: REFUSED,
    remedy: 'Give its file a name that sorts after those of all applied ones.',
  },
  MULTIPLE_HEADS: {
    means: 'Two branches have added migrations after the same one: the set has more than one end.',
    database: REFUSED,
    remedy: 'Add a migration with `-- lockstep:after` both, or put one after the other.',
  },
  MIGRATION_INVALID: {
    means:
      'A file cannot be used: syntax, a directive, a statement that cannot run in a transaction, a missing section.',
    database: REFUSED,
    remedy:
      'Correct the file at the line that the message shows. `lockstep validate` finds everything that is wrong at once.',
  },
  MIGRATION_FAILED: {
    means:
      'A statement or the code of a migration failed, or what it verifies is not so. The error shows line, SQLSTATE and excerpt.',
    database:
      'As the error says: nearly always as before (rolled back, or reverted by downs). Otherwise it names what stands applied, and how far a migration outside of a transaction has come.',
    remedy:
      'Correct the file and deploy again. What runs outside of a transaction goes on at the statement that failed.',
  },
  MIGRATION_IRREVERSIBLE: {
    means:
      'What is to be reverted has no down, or says that there is none. `prove` and `validate` say so of a file that lacks both.',
    database: UNTOUCHED,
    remedy: 'Go forward with a new migration, or restore a snapshot.',
  },
  MIGRATION_UNKNOWN: {
    means: 'There is no migration of the id that was given (`to`, `--only`, `lockstep:after`).',
    database: UNTOUCHED,
    remedy: 'Give the name of a file without its extension; `history` and `status` list them.',
  },
  REQUIREMENT_NOT_MET: {
    means:
      'A stack requires a migration that the database does not have (`fromServiceToken`); or what `-- migrate:require` asks is not so.',
    database: 'Not touched; between two migrations of a run: rolled back, as the error says.',
    remedy: 'Deploy the stack that migrates first; or put the rows right that the query looks for.',
  },
  HAZARD_REFUSED: {
    means:
      'The environment does not allow what a migration does: a hazard that the file does not accept, a migration that was not tried, a loss without a snapshot, rows that would make it fail.',
    database: REFUSED,
    remedy:
      'Do it the safe way that the error shows, accept it with `-- lockstep:allow`, or run `lockstep prove --write` and `lockstep lint --write` and deploy what they write. [hazards.md](hazards.md) describes each hazard.',
  },
  CONFIRMATION_REQUIRED: {
    means: 'The environment wants a revert confirmed with the name of the database.',
    database: UNTOUCHED,
    remedy: 'Give `"confirm"` with the event, or `--confirm` on the command line.',
  },
  SCHEMA_DRIFTED: {
    means: 'Somebody else has changed the schema since the last run, and `onDrift` is `fail`.',
    database: REFUSED,
    remedy:
      'Look with `{"action":"drift"}` or `lockstep drift`; take the change back, or adopt it in a migration. `LOCKSTEP_ON_DRIFT=warn` lets one run pass.',
  },
  PLAN_CHANGED: {
    means:
      'The hash that was given with `plan` is not that of what the run would do now. The message says what has changed.',
    database: UNTOUCHED,
    remedy: 'Look at the plan again, with the settings of the run, and give its hash.',
  },
  SCRIPT_REFUSED: {
    means: 'There is no script for psql of this plan: it has code, or a migration that was begun and cut off.',
    database: UNTOUCHED,
    remedy: 'Run it with Lockstep. `--to` the migration before may give a script.',
  },
  SNAPSHOT_FAILED: {
    means:
      'The snapshot before a run, or one by hand, could not be made, found or read; there was no time for it; or the bucket did not take the record of what a run is about to do.',
    database: 'Not changed: a run without its snapshot does nothing.',
    remedy:
      'By the message: permissions on bucket and key, a route to S3, the privilege to read all tables, or a longer `totalTimeout`.',
  },
  RESTORE_FAILED: {
    means: 'A snapshot could not be restored or verified.',
    database: 'As before: the copy is dropped, or is left beside the database under the name that the error gives.',
    remedy:
      'By the message: missing roles, the privilege CREATEDB, disk space, a damaged object. Another snapshot is listed by `snapshots`.',
  },
  DEADLINE_EXCEEDED: {
    means: "The time of the run is over, or the function's.",
    database: 'As the error says: what was not committed is rolled back, what the run had committed is reverted.',
    remedy:
      'Give the construct a longer `totalTimeout` (up to an hour), deploy fewer migrations at a time, or split the slow one.',
  },
  DATABASE_AHEAD: {
    means: 'Older code is deployed than what the database is at, and what is ahead is marked `breaking`.',
    database: UNTOUCHED,
    remedy: 'Deploy the newer commit again; or revert first, with `down` and `to`.',
  },
  EVENT_INVALID: {
    means:
      'The function does not know the event: an unknown action or key, a wrong value, half an event of CloudFormation.',
    database: UNTOUCHED,
    remedy: 'Send an action that the message lists: `{"action":"status"}`.',
  },
  USAGE_INVALID: {
    means: 'The command line does not know the command, an option or a value. Exit code 2.',
    database: UNTOUCHED,
    remedy: '`lockstep --help` lists the commands, `lockstep up --help` the options of one.',
  },
  INTERRUPTED: {
    means:
      'The command was stopped (Ctrl-C), a migration is half done and must be finished first, or a later event of CloudFormation has taken this one back.',
    database: 'What was not committed is rolled back; what was is in the history. The message names what is half done.',
    remedy: 'Run `status`, then the same again; for a half done migration `up` or `down`, as the message says.',
  },
  INTERNAL: {
    means: 'Lockstep met an error that it did not expect.',
    database: 'Not known. What was committed is in the history.',
    remedy: 'Run `status`, and report the message as a bug, with the log.',
  },
} as const satisfies Readonly<Record<ErrorCode, Explanation>>
