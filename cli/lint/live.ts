import type { Hazard } from '../../lambda/analysis-contract.ts'
import { systemClock } from '../../lambda/adapters/clock.ts'
import { findViolations, violationText, type Violation } from '../../lambda/engine/policy/existing-data.ts'
import { HAZARDS } from '../../lambda/engine/hazards/hazard.ts'
import type { Migration } from '../../lambda/engine/migration/migration.ts'
import { loadParser } from '../../lambda/engine/migration/statements.ts'
import { upStep, type Step } from '../../lambda/engine/plan/step.ts'
import { weighed } from '../../lambda/engine/policy/weigh.ts'
import { LockstepError } from '../../lambda/errors.ts'
import type { Lockstep } from '../../lambda/lockstep.ts'
import type { Linted } from './lint-one.ts'
import { takeStatistics, type DatabaseStatistics } from './statistics.ts'

/** Weighs what was found by the database, and asks its rows for what the migrations demand of them. */
export async function weighByDatabase(lockstep: Lockstep, linted: readonly Linted[]): Promise<readonly Linted[]> {
  await loadParser()
  const names = [...new Set(linted.flatMap(({ hazards }) => hazards.flatMap(({ relation }) => relation ?? [])))]
  const connection = await lockstep.connect()
  try {
    const history = lockstep.config.historySchema
    const statistics = await takeStatistics(connection, { database: await lockstep.databaseName(), history, names })
    const violations = await findViolations(connection, stepsOf(linted), systemClock.monotonic)
    return weighByStatistics(linted, statistics).map((each) => withViolations(each, violations))
  } finally {
    await connection.close()
  }
}

/** What cannot be made ready is said where it was tried. */
function stepsOf(linted: readonly Linted[]): readonly Step[] {
  return linted.flatMap(({ migration }) => {
    try {
      return [upStep({ migration, parents: [] })]
    } catch (error) {
      if (error instanceof LockstepError) return []
      throw error
    }
  })
}

function withViolations(linted: Linted, violations: readonly Violation[]): Linted {
  const own = violations.filter(({ step }) => step.id === linted.migration.id)
  const { severity } = HAZARDS['existing-data-violates']
  const hazards = own.map((violation): Hazard => ({
    id: 'existing-data-violates',
    severity: violation.isCertain ? severity : 'warning',
    line: violation.line,
    relation: violation.relation,
    detail: violationText(violation),
    safe: null,
    rules: [],
  }))
  return hazards.length === 0 ? linted : { ...linted, hazards: [...linted.hazards, ...hazards] }
}

/** Weighs what was found by statistics, of now or of a file. Pure. */
export function weighByStatistics(linted: readonly Linted[], statistics: DatabaseStatistics): readonly Linted[] {
  return linted.map((each) => ({
    ...each,
    hazards: [
      ...each.hazards.map((hazard) => weighed(hazard, statisticsOf(hazard, statistics))),
      ...corruption(each.migration, statistics.serverVersion),
    ],
  }))
}

function statisticsOf({ relation }: Hazard, { relations }: DatabaseStatistics) {
  return relation !== null && Object.hasOwn(relations, relation) ? relations[relation] : undefined
}

/** 14.0 to 14.3 */
const CORRUPTING = { from: 140_000, before: 140_004 }

function corruption(migration: Migration, serverVersion: number): readonly Hazard[] {
  if (serverVersion < CORRUPTING.from || serverVersion >= CORRUPTING.before || migration.kind === 'ts') return []
  const builds = migration.up.blocks.some(({ text }) =>
    /\b(?:CREATE\s+(?:UNIQUE\s+)?INDEX|REINDEX)\b[^;]*\bCONCURRENTLY\b/i.test(text),
  )
  if (!builds) return []
  const { severity } = HAZARDS['concurrent-index-corruption']
  const detail = `builds an index CONCURRENTLY on PostgreSQL 14.${serverVersion - CORRUPTING.from}`
  return [{ id: 'concurrent-index-corruption', severity, line: null, relation: null, detail, safe: null, rules: [] }]
}
