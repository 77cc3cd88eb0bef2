import { join } from 'node:path'
import { isSevere, kindOf } from '../../lambda/engine/hazards/hazard.ts'
import type { Migration } from '../../lambda/engine/migration/migration.ts'
import { maskSecrets } from '../../lambda/mask-secrets.ts'
import type { Finding } from '../render/findings.ts'
import { judgeAllowed, unusedAllows, type AllowProblem, type JudgedHazard } from './allowed.ts'
import type { LintReport } from './lint.ts'

/** The JSON form of `lint`. */
export interface LintResult {
  readonly migrations: readonly LintedMigration[]
  /** What is allowed without being there. */
  readonly problems: readonly AllowProblem[]
  readonly notes: readonly string[]
  /** Hazards that are severe and not allowed. */
  readonly severe: number
  /** Whether a pipeline may go on. */
  readonly ok: boolean
}

export interface LintedMigration {
  readonly id: string
  readonly file: string
  readonly checksum: string
  readonly hazards: readonly JudgedHazard[]
}

/** @param isWhole - whether each migration was looked at by itself, so that an allow without a use can be told */
export function lintResult({ linted, notes, hasRules }: LintReport, isWhole: boolean): LintResult {
  const migrations = linted.map((each) => ({
    id: each.migration.id,
    file: each.migration.file,
    checksum: each.migration.checksum,
    hazards: judgeAllowed(each),
  }))
  const problems = isWhole ? linted.flatMap((each) => unusedAllows(each, { hasRules })) : []
  const severe = migrations
    .flatMap(({ hazards }) => hazards)
    .filter((hazard) => hazard.allowed === null && isSevere(hazard)).length
  return { migrations, problems, notes, severe, ok: severe === 0 && problems.length === 0 }
}

/** The hazards and problems as findings of files. @param sources - the migrations by id */
export function findingsOf(
  result: LintResult,
  directory: string,
  sources: ReadonlyMap<string, Migration>,
): readonly Finding[] {
  return [
    ...result.migrations.flatMap(({ id, file, hazards }) =>
      hazards.map((hazard) => findingOf(hazard, join(directory, file), sources.get(id))),
    ),
    ...result.problems.map(({ file, line, message, remedy }): Finding => ({
      rule: 'allow-without-hazard',
      severity: 'error',
      path: join(directory, file),
      line,
      message: `The file ${message}`,
      notes: [['Remedy', remedy]],
    })),
  ]
}

function findingOf(hazard: JudgedHazard, path: string, migration: Migration | undefined): Finding {
  const kind = kindOf(hazard.id)
  const lines = maskSecrets(migration?.source ?? '').split('\n')
  const line = hazard.line === null ? undefined : lines[hazard.line - 1]?.trim()
  return {
    rule: hazard.id,
    severity: hazard.severity,
    path,
    line: hazard.line,
    message: kind === null ? hazard.detail : `${kind.title}: ${hazard.detail}.`,
    ...(line === undefined || line === '' ? {} : { excerpt: line }),
    notes:
      kind === null
        ? []
        : [
            ['Blocks', kind.blocks],
            ['Safely', kind.safely],
          ],
    ...(hazard.safe === null ? {} : { code: hazard.safe }),
    allowed: hazard.allowed,
  }
}
