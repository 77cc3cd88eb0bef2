import { perform, type ActionRequest, type DownTarget } from './actions.ts'
import { ACTIONS, type Action } from './contract.ts'
import { isPlanHash, PLAN_HASH_SYNTAX } from './engine/plan/plan-hash.ts'
import { errorOf, type LockstepError } from './errors.ts'
import { invalidEvent, shown, shownNames } from './event-invalid.ts'
import type { Lockstep } from './lockstep.ts'
import type { RestoreRequest } from './restore-on-demand.ts'
import { MISSING_ROLES } from './snapshot-contract.ts'
import type { ManualSnapshot } from './snapshot-for.ts'
import { MAX_SNAPSHOT_WORKERS } from './snapshot-settings.ts'
import { MANUAL_SCOPE_SYNTAX, parsePatterns, parseScope } from './snapshot/scope.ts'

/** Keys that each action takes beside `action`. */
const KEYS: Readonly<Record<Action, readonly string[]>> = {
  init: [],
  status: [],
  current: [],
  history: [],
  pending: [],
  plan: ['to', 'sql', 'down', 'script'],
  up: ['to', 'dryRun', 'requestId', 'plan'],
  down: ['steps', 'to', 'dryRun', 'requestId', 'confirm', 'plan'],
  snapshot: ['scope', 'exclude'],
  snapshots: [],
  restore: ['uri', 'into', 'tables', 'intoSchema', 'missingRoles', 'workers'],
  verify: ['uri'],
  health: [],
  drift: [],
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Answers a person in the console or a pipeline: `{"action":"status"}`.
 *
 * @throws LockstepError; a failed run too, so that the invocation counts as failed
 */
export async function onDemand(lockstep: Lockstep, event: unknown): Promise<unknown> {
  const result = await perform(lockstep, parseEvent(event))
  if ('error' in result && result.error !== undefined) throw errorOf(result.error)
  return result
}

/** Reads an on-demand event. Pure. @throws LockstepError `EVENT_INVALID` listing what is known. */
export function parseEvent(event: unknown): ActionRequest {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) throw invalid('The event is not an object.')
  const fields = event as Fields
  const action = ACTIONS.find((known) => known === fields.action)
  if (action === undefined) {
    const received =
      'action' in fields ? `The action ${shown(fields.action)} is not known.` : 'The event has no "action".'
    throw invalid(received)
  }
  const unknown = Object.keys(fields).filter((key) => key !== 'action' && !KEYS[action].includes(key))
  if (unknown.length > 0) {
    const known = KEYS[action].length === 0 ? 'none' : KEYS[action].join(', ')
    throw invalid(`The action "${action}" does not take ${shownNames(unknown)}.`, `Keys of "${action}": ${known}.`)
  }
  return toRequest(action, fields)
}

function toRequest(action: Action, fields: Fields): ActionRequest {
  const to = optional('to', text('to', fields))
  const order = { ...optional('requestId', text('requestId', fields)), ...optional('plan', planOf(fields)) }
  switch (action) {
    case 'plan':
      return { action, ...to, ...downOf(fields.down), sql: flag('sql', fields), ...script(fields) }
    case 'up':
      return flag('dryRun', fields) ? { action: 'plan', ...to, sql: false } : { action, ...to, ...order }
    case 'down': {
      const target = downTarget(fields)
      return flag('dryRun', fields)
        ? { action: 'plan', down: target, sql: false }
        : { action, target, ...order, ...optional('confirm', text('confirm', fields)) }
    }
    case 'snapshot':
      return { action, ...manualSnapshot(fields) }
    case 'restore':
      return { action, ...restoreRequest(fields) }
    case 'verify':
      return { action, uri: uriOf(action, fields) }
    default:
      return { action }
  }
}

function script(fields: Fields): { readonly script?: boolean } {
  return flag('script', fields) ? { script: true } : {}
}

/** Only what a run is compared with. */
function planOf(fields: Fields): string | undefined {
  const hash = text('plan', fields)
  if (hash === undefined) return undefined
  if (flag('dryRun', fields)) throw invalid('Both "plan" and "dryRun" are given.', 'Give one of them.')
  if (isPlanHash(hash)) return hash
  throw invalid(`"plan" is ${shown(hash)}.`, `Give the hash of a plan, whole: ${PLAN_HASH_SYNTAX}.`)
}

function uriOf(action: Action, fields: Fields): string {
  const uri = text('uri', fields)
  if (uri !== undefined) return uri
  throw invalid(`The action "${action}" needs "uri".`, 'Take it from {"action":"snapshots"}.')
}

function restoreRequest(fields: Fields): RestoreRequest {
  const { tables, workers } = fields
  const missingRoles = text('missingRoles', fields)
  const choice = MISSING_ROLES.find((known) => known === missingRoles)
  if (missingRoles !== undefined && choice === undefined)
    throw invalid(`"missingRoles" is ${shown(missingRoles)}.`, `Give one of: ${MISSING_ROLES.join(', ')}.`)
  return {
    uri: uriOf('restore', fields),
    ...optional('into', text('into', fields)),
    ...(tables === undefined ? {} : { tables: tableList(tables) }),
    ...optional('intoSchema', text('intoSchema', fields)),
    ...(choice === undefined ? {} : { missingRoles: choice }),
    ...(workers === undefined ? {} : { workers: workerCount(workers) }),
  }
}

function tableList(value: unknown): readonly string[] {
  const isList = Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === 'string')
  if (isList) return value
  throw invalid(`"tables" is ${shown(value)}.`, 'Give a list of texts: schema.table.')
}

function workerCount(value: unknown): number {
  if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_SNAPSHOT_WORKERS) return Number(value)
  throw invalid(`"workers" is ${shown(value)}.`, `Give a whole number from 1 to ${MAX_SNAPSHOT_WORKERS}.`)
}

function downOf(value: unknown): { readonly down?: DownTarget } {
  if (value === undefined || value === false) return {}
  if (value === true) return { down: { kind: 'steps', steps: 1 } }
  const remedy = 'Give {"steps":1} or {"to":"<id>"}.'
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`"down" is ${shown(value)}.`, remedy)
  const unknown = Object.keys(value).filter((key) => key !== 'steps' && key !== 'to')
  if (unknown.length > 0) throw invalid(`"down" does not take ${shownNames(unknown)}.`, remedy)
  return { down: downTarget(value as Fields) }
}

function downTarget(fields: Fields): DownTarget {
  const to = text('to', fields)
  const { steps } = fields
  if (to !== undefined && steps !== undefined) throw invalid('Both "steps" and "to" are given.', 'Give one of them.')
  if (to !== undefined) return to === 'base' ? { kind: 'base' } : { kind: 'to', id: to }
  if (steps === undefined) return { kind: 'steps', steps: 1 }
  if (typeof steps !== 'number' || !Number.isInteger(steps) || steps < 1)
    throw invalid(`"steps" is ${shown(steps)}.`, 'Give a whole number from 1 on.')
  return { kind: 'steps', steps }
}

function manualSnapshot(fields: Fields): ManualSnapshot {
  const given = text('scope', fields)
  const scope = given === undefined ? undefined : parseScope(given)
  if (scope === null || scope?.kind === 'affected')
    throw invalid(`"scope" is ${shown(given)}.`, `Give ${MANUAL_SCOPE_SYNTAX}.`)
  const exclude = fields['exclude'] === undefined ? undefined : excluded(fields['exclude'])
  return { ...(scope === undefined ? {} : { scope }), ...(exclude === undefined ? {} : { exclude }) }
}

/** A list in JSON; its entries as one text in the environment's form. */
function excluded(value: unknown): readonly string[] {
  const isList = Array.isArray(value) && value.every((entry) => typeof entry === 'string')
  const patterns = isList ? (value.length === 0 ? [] : parsePatterns(value.join(','))) : null
  if (patterns !== null) return patterns
  throw invalid(`"exclude" is ${shown(value)}.`, 'Give a list of texts: schema.table, with * for anything.')
}

function text(key: string, fields: Fields): string | undefined {
  const value = fields[key]
  if (value === undefined) return undefined
  if (typeof value === 'string' && value !== '') return value
  throw invalid(`"${key}" is ${shown(value)}.`, `Give a text for "${key}".`)
}

function flag(key: string, fields: Fields): boolean {
  const value = fields[key]
  if (value === undefined) return false
  if (typeof value === 'boolean') return value
  throw invalid(`"${key}" is ${shown(value)}.`, `Give true or false for "${key}".`)
}

function optional<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: string }
}

function invalid(message: string, remedy: string = `Known actions: ${ACTIONS.join(', ')}.`): LockstepError {
  return invalidEvent(message, remedy)
}
