import { createHash } from 'node:crypto'
import { quoteLiteral } from '../database.ts'
import { historyTables } from '../history/history-schema.ts'
import { validIndexSql } from '../run/invalid-indexes.ts'
import { holderPidSql, holdsLockSql, lockKey } from '../lock/lock.ts'
import type { AppliedMigration } from '../history/state.ts'
import type { Statement } from '../migration/statements.ts'
import type { SqlStep } from '../plan/step.ts'
import { excerptAt } from '../migration/excerpt.ts'
import { doBlock, raise } from './psql-text.ts'

/** Where the script is at work. */
export interface Place {
  readonly database: string
  readonly schema: string
  readonly set: string
}

const UNTOUCHED = 'Nothing has been touched.'
const AGAIN = 'Make the script anew with "lockstep plan --sql".'

/** Takes the set's lock for the session. It does not wait: whoever waits in a transaction keeps concurrent builds waiting. */
export function lockGuard({ database, schema, set }: Place): string {
  const key = lockKey(schema, set)
  return doBlock(`  IF pg_catalog.now() <> pg_catalog.statement_timestamp() THEN
    ${raise('USAGE_INVALID', `the script has transactions of its own. ${UNTOUCHED}`, 'Run it without --single-transaction, and outside of a transaction.')}
  END IF;
  IF pg_catalog.current_database() <> ${quoteLiteral(database)} THEN
    ${raise('PLAN_CHANGED', `this is not the database "${database}". ${UNTOUCHED}`, AGAIN)}
  END IF;
  IF NOT pg_catalog.pg_try_advisory_lock(${key}) THEN
    ${raise('LOCK_HELD', `another run of the set is under way. ${UNTOUCHED} Of the process `, 'Wait for its end, and run the script again.', `coalesce((${holderPidSql(key)} LIMIT 1)::text, 'unknown')`)}
  END IF;`)
}

/** Refuses a history that is not what the plan saw. */
export function historyGuard({ schema, set }: Place, applied: readonly AppliedMigration[]): string {
  const { migrations, progress } = historyTables(schema)
  const seen = applied.map(({ position, id, checksum }) => `${position} ${id} ${checksum}`).join('\n')
  const digest = createHash('sha256').update(seen).digest('hex')
  const own = `"set" = ${quoteLiteral(set)}`
  const now = `SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(coalesce(pg_catalog.string_agg(
      position || ' ' || id || ' ' || checksum, pg_catalog.chr(10) ORDER BY position), ''), 'UTF8')), 'hex')
    FROM ${migrations} WHERE ${own}`
  const message = `the history of the set "${set}" is not what it was when this script was made. ${UNTOUCHED}`
  return doBlock(
    `  IF (${now}) <> '${digest}' OR EXISTS (SELECT FROM ${progress} WHERE ${own}) THEN
    ${raise('PLAN_CHANGED', message, AGAIN)}
  END IF;`,
  )
}

/** Fails when another run can have begun. Asked before each commit. */
export function heldGuard({ schema, set }: Place): string {
  return doBlock(`  IF NOT ${holdsLockSql(lockKey(schema, set))} THEN
    ${raise('MIGRATION_FAILED', 'the lock that keeps other runs of the set away was given up by one of the migrations.', 'Remove what releases advisory locks from the migrations.')}
  END IF;`)
}

/** Fails when the history does not say what was done. Asked before the commit of a transaction. */
export function recordedGuard(
  { schema, set }: Place,
  { total, ids, present }: { readonly total: number; readonly ids: readonly string[]; readonly present: boolean },
): string {
  const list = ids.map(quoteLiteral).join(', ')
  return doBlock(`  IF NOT (SELECT count(*) = ${total} AND count(*) FILTER (WHERE id IN (${list})) = ${present ? ids.length : 0}
      FROM ${historyTables(schema).migrations} WHERE "set" = ${quoteLiteral(set)}) THEN
    ${raise('MIGRATION_FAILED', 'one of the migrations changed the history.', `Remove what changes the schema "${schema}" from the migrations.`)}
  END IF;`)
}

/** Fails unless every question of a step gives true in each row, and a row at least. */
export function questionGuard(step: SqlStep, kind: 'require' | 'verify'): string {
  return doBlock(askAll(step, kind), ASKING)
}

/** Of the session; whether a question asks for what an earlier migration of the script makes. */
export const LATER_SETTING = 'lockstep.later'

/** Asks what a step requires before anything is touched; what it asks for may be made by an earlier one. */
export function earlyGuard(step: SqlStep): string {
  const missing = 'undefined_table OR undefined_column OR undefined_object OR undefined_function OR invalid_schema_name'
  return doBlock(
    `${askAll(step, 'require')}
EXCEPTION WHEN ${missing} THEN
  PERFORM pg_catalog.set_config('${LATER_SETTING}', 'on', false);`,
    ASKING,
  )
}

const ASKING = 'answer record; found boolean; wrong boolean;'

function askAll(step: SqlStep, kind: 'require' | 'verify'): string {
  return step[kind].map((question) => askOne(step, kind, question)).join('\n')
}

function askOne(step: SqlStep, kind: 'require' | 'verify', { sql, block, offset }: Statement): string {
  const { file } = step.migration
  const place = `${file}, line ${excerptAt(block, offset).line}`
  const failure =
    kind === 'require'
      ? raise(
          'REQUIREMENT_NOT_MET',
          `${place}: what the migration requires of the database is not so.`,
          'Put the data right that the query looks for, and run the script again.',
        )
      : raise(
          'MIGRATION_FAILED',
          `${place}: after the up, the database is not what the migration verifies.`,
          `Correct ${file}, or the data, and make the script anew.`,
        )
  return `  found := false;
  wrong := false;
  FOR answer IN EXECUTE ${quoteLiteral(sql).trim()} LOOP
    found := true;
    wrong := pg_catalog.to_jsonb(answer) = '{}'
      OR EXISTS (SELECT FROM pg_catalog.jsonb_each(pg_catalog.to_jsonb(answer)) e WHERE e.value <> 'true');
    EXIT WHEN wrong;
  END LOOP;
  IF wrong OR NOT found THEN
    ${failure}
  END IF;`
}

/** A concurrent build with IF NOT EXISTS leaves an invalid index as it is. Null where there is nothing to look at. */
export function validityGuard({ traits }: Statement): string | null {
  const target = traits.concurrentIndex
  if (target?.action !== 'create' || target.relation === null || target.index === null) return null
  const message = `the index ${target.index} is not there, or invalid.`
  return doBlock(
    `  IF NOT coalesce((${validIndexSql(target.relation, target.index)}), false) THEN
    ${raise('MIGRATION_FAILED', message, 'Drop it, and run "lockstep up".')}
  END IF;`,
  )
}
