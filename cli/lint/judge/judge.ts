import type { Hazard } from '../../../lambda/analysis-contract.ts'
import { excerptAt } from '../../../lambda/engine/migration/excerpt.ts'
import { HAZARDS, type HazardId } from '../../../lambda/engine/hazards/hazard.ts'
import { messageOf } from '../../../lambda/errors.ts'
import { extensionError, missingExtension } from '../../shadow/missing-extension.ts'
import type { Aftermath } from '../aftermath.ts'
import type { Observation } from '../observation.ts'
import type { ObservedStep } from '../observe.ts'
import { judgeClients } from './clients.ts'
import type { Found } from './found.ts'
import { judgeIndexes } from './indexes.ts'
import { judgeEnd, type Placed } from './migration.ts'
import { addedColumns, writesOnly } from './rows.ts'
import { judgeTables } from './tables.ts'
import {
  judgeAfterLock,
  judgeBackfill,
  judgeExplicitLock,
  judgeSeveralAlters,
  judgeTimeout,
  judgeTrigger,
} from './transaction.ts'

/** Hazards that are said once for a migration. */
const ONCE: ReadonlySet<HazardId> = new Set([
  'statements-after-exclusive-lock',
  'lock-timeout-disabled',
  'several-alter-tables',
])

/** The hazards of a migration, from what was observed of it. Pure. */
export function judge(observed: ObservedStep, earlier: Aftermath): readonly Hazard[] {
  const { observations, catalog, failure } = observed
  const ofStatements = observations.flatMap((observation, index) =>
    judgeStatement(observation, observations[index - 1]).map((each): Placed => ({ ...each, observation })),
  )
  const ofEnd = judgeEnd({ observations, catalog, aftermath: { before: earlier, after: observed.aftermath } })
  const names = new Set([...catalog.relations.values()].map(({ schema, name }) => `${schema}.${name}`))
  const added = addedColumns(observations)
  const told = ofStatements.filter(({ id, relation, observation }) => {
    // A view has taken the old name.
    if (id === 'table-renamed') return !names.has(relation ?? '')
    return id !== 'data-updated' || observation === null || !writesOnly(observation, relation ?? '', added)
  })
  return [...onceEach([...told, ...ofEnd]).map(toHazard), ...(failure === null ? [] : [failureOf(failure)])]
}

function judgeStatement(observation: Observation, previous: Observation | undefined): readonly Found[] {
  const own = [
    ...judgeTables(observation),
    ...judgeIndexes(observation),
    ...judgeClients(observation),
    ...judgeTrigger(observation),
    ...judgeBackfill(observation),
    ...judgeSeveralAlters(observation, previous),
  ]
  return [
    ...own,
    ...judgeExplicitLock(observation, own),
    ...judgeAfterLock(observation, own),
    ...judgeTimeout(observation),
  ]
}

function onceEach(placed: readonly Placed[]): readonly Placed[] {
  const seen = new Set<string>()
  return placed.filter(({ id }) => !ONCE.has(id) || (!seen.has(id) && seen.add(id)))
}

function toHazard({ id, relation, detail, safe, observation }: Placed): Hazard {
  const source = observation?.statement.source ?? null
  const line = source === null ? null : excerptAt(source.block, source.offset).line
  return { id, severity: HAZARDS[id].severity, line, relation, detail, safe, rules: [] }
}

/** Of a migration that cannot be looked at, or not to its end. */
export function notObserved(line: number | null, detail: string): Hazard {
  const { severity } = HAZARDS['not-observed']
  return { id: 'not-observed', severity, line, relation: null, detail, safe: null, rules: [] }
}

function failureOf({ statement, cause, message }: NonNullable<ObservedStep['failure']>): Hazard {
  const line = statement === null ? null : excerptAt(statement.block, statement.offset).line
  const extension = missingExtension(cause)
  const remedy = extension === null ? '' : `. ${extensionError(extension, '').report.remedy}`
  return notObserved(line, `fails where it was tried: ${cause === undefined ? message : messageOf(cause)}${remedy}`)
}
