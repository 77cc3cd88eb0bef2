import { excerptAt } from '../../lambda/engine/migration/excerpt.ts'
import { isHazardId } from '../../lambda/engine/hazards/hazard.ts'
import type { Migration, SqlMigration, SqlSection } from '../../lambda/engine/migration/migration.ts'
import { splitQuestions, splitSection, type Statement } from '../../lambda/engine/migration/statements.ts'
import type { LockstepError } from '../../lambda/errors.ts'
import type { ValidationProblem } from './problem.ts'

/** Where the checks of a file tell what they find. */
export interface Listener {
  readonly add: (problem: ValidationProblem) => void
  readonly report: (error: LockstepError) => void
}

/** What is wrong with one file, without a database. */
export function checkFile(migration: Migration, listener: Listener): void {
  for (const problem of [...directiveProblems(migration), ...downProblems(migration)]) listener.add(problem)
  if (migration.kind === 'ts') return
  checkSection(migration, migration.up, listener)
  if (migration.down !== null) checkSection(migration, migration.down, listener)
  splitQuestions(migration, migration.require, listener.report)
  splitQuestions(migration, migration.verify, listener.report)
}

function* directiveProblems(migration: Migration): Iterable<ValidationProblem> {
  for (const { hazard } of migration.directives.allow) {
    if (isHazardId(hazard)) continue
    yield problem(migration, 'error', {
      ...lineOf(migration, (line) => line.includes('lockstep:allow') && line.includes(hazard)),
      message: `there is no hazard "${hazard}" to allow.`,
      remedy: 'docs/hazards.md lists them; those of squawk are named squawk:<rule>.',
    })
  }
}

function* downProblems(migration: Migration): Iterable<ValidationProblem> {
  if (migration.kind === 'sql' && migration.repeatable) return
  const { irreversible } = migration.directives
  if (migration.down === null && irreversible === null) {
    yield problem(migration, 'error', {
      message: 'it has no down, and does not say that it is irreversible.',
      remedy:
        migration.kind === 'sql'
          ? 'Write what undoes it below "-- migrate:down", or "-- lockstep:irreversible <reason>" at the top.'
          : 'Export a function "down", or `export const irreversible = "<reason>"`.',
    })
  }
  if (migration.down !== null && irreversible !== null) {
    yield problem(migration, 'warning', {
      message: 'it has a down, but is declared irreversible: the down never runs.',
      remedy: 'Remove one of the two.',
    })
  }
}

function checkSection(migration: SqlMigration, section: SqlSection, { add, report }: Listener): void {
  const statements = splitSection(migration, section, report)
  if (section.transactional) {
    if (isWrapped(migration, section)) add(ownTransaction(migration, section))
    return
  }
  const first = statements.find(({ traits }) => traits.outsideTransaction !== null)
  const other = statements.find(({ traits }) => traits.outsideTransaction === null)
  if (first !== undefined && other !== undefined) add(mixed(migration, first, other))
}

/** `splitSection` leaves a BEGIN and COMMIT around the whole out, so that they are seen only in the text. */
function isWrapped(migration: SqlMigration, section: SqlSection): boolean {
  const parts = splitSection(migration, { ...section, transactional: false }, () => {})
  return parts[0]?.traits.transactionControl === 'begin' && parts.at(-1)?.traits.transactionControl === 'commit'
}

function ownTransaction(migration: SqlMigration, { blocks }: SqlSection): ValidationProblem {
  const [block] = blocks
  const index = block?.text.split('\n').findIndex((line) => /^\s*(?:begin|start\s+transaction)\b/i.test(line)) ?? 0
  return problem(migration, 'warning', {
    ...(block === undefined ? {} : { line: block.line + Math.max(index, 0) }),
    message: 'its own BEGIN and COMMIT are left out: the run has a transaction.',
    remedy: 'Remove them, or write "transaction:false" if the file must commit by itself.',
  })
}

function mixed(migration: SqlMigration, outside: Statement, other: Statement): ValidationProblem {
  const place = excerptAt(other.block, other.offset)
  return problem(migration, 'warning', {
    ...place,
    message: `this stands in one file with ${outside.traits.outsideTransaction}, so that it commits by itself: when a later statement fails, a part of the migration stays.`,
    remedy: 'Put what can run in a transaction into a file of its own.',
  })
}

/** A problem of a file. */
export function problem(
  { id, file }: Pick<Migration, 'id' | 'file'>,
  severity: ValidationProblem['severity'],
  what: Pick<ValidationProblem, 'message' | 'remedy' | 'line' | 'column' | 'excerpt'>,
): ValidationProblem {
  const { message, line } = what
  const place = line === undefined ? file : `${file}, line ${line}`
  return { ...what, code: 'MIGRATION_INVALID', severity, migration: id, file, message: `${place}: ${message}` }
}

function lineOf({ source }: Migration, isIt: (line: string) => boolean): { readonly line?: number } {
  const index = source.split('\n').findIndex(isIt)
  return index === -1 ? {} : { line: index + 1 }
}
