import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ANALYSIS_FILE, analysisText, mergeEntry, readAnalysis } from '../../lambda/engine/policy/analysis.ts'
import { kindOf } from '../../lambda/engine/hazards/hazard.ts'
import { readMigrationDirectory } from '../../lambda/engine/migration/migration-directory.ts'
import { buildGraph, type MigrationGraph } from '../../lambda/engine/plan/migration-graph.ts'
import { unknownMigration } from '../../lambda/engine/plan/plan.ts'
import type { Lockstep } from '../../lambda/lockstep.ts'
import { VERSION } from '../../lambda/version.ts'
import { EXIT, type Outcome } from '../exit.ts'
import { lintMigrations, type LintOptions, type LintReport } from '../lint/lint.ts'
import { weighByDatabase, weighByStatistics } from '../lint/live.ts'
import { readPending, withDatabase } from '../lint/pending.ts'
import { findingsOf, lintResult, type LintResult } from '../lint/result.ts'
import { readStatisticsFile } from '../lint/statistics.ts'
import type { LocalSurroundings } from '../local-command.ts'
import { renderGithub, renderSarif, type Finding } from '../render/findings.ts'
import { renderLint } from '../render/lint.ts'
import { styleFor } from '../render/style.ts'
import { filesById } from '../shadow/replay.ts'
import type { Settings } from '../settings.ts'
import type { LintRequest } from './lint.ts'

/**
 * `lint`.
 *
 * @throws LockstepError `MIGRATION_UNKNOWN` for `--only`, and what {@link lintMigrations} throws.
 */
export async function lintCommand(
  request: LintRequest,
  settings: Settings,
  { signal }: LocalSurroundings,
): Promise<Outcome> {
  const found = request.pending
    ? await withDatabase(settings, signal, (lockstep) => lintPending(lockstep, request, signal))
    : await lintFiles(request, settings, signal)
  const { graph, report } = found
  const result = lintResult(report, !request.pending)
  const text = textOf(request, result, { graph, directory: settings.migrations })
  return { document: result, text, exitCode: result.ok ? EXIT.done : EXIT.failed }
}

interface Found {
  readonly graph: MigrationGraph
  readonly report: LintReport
}

/** What is pending on a database, weighed by what is in it. */
async function lintPending(lockstep: Lockstep, request: LintRequest, signal: AbortSignal): Promise<Found> {
  const { pending, timeZone } = await readPending(lockstep)
  const { directory } = lockstep.config.migrations
  const { historySchema } = lockstep.config
  const found = await lint(request, directory, { pending, timeZone, historySchema, signal })
  return { ...found, report: { ...found.report, linted: await weighByDatabase(lockstep, found.report.linted) } }
}

async function lintFiles(request: LintRequest, settings: Settings, signal: AbortSignal): Promise<Found> {
  const statistics = request.statistics === null ? null : readStatisticsFile(request.statistics)
  const timeZone = statistics === null ? {} : { timeZone: statistics.timeZone }
  const { historySchema } = settings
  const found = await lint(request, settings.migrations, { pending: null, ...timeZone, historySchema, signal })
  if (statistics === null) return found
  return { ...found, report: { ...found.report, linted: weighByStatistics(found.report.linted, statistics) } }
}

/** Runs them on the shadow. What is written down is what holds for every database. */
async function lint(
  request: LintRequest,
  directory: string,
  options: Pick<LintOptions, 'pending' | 'timeZone' | 'historySchema' | 'signal'>,
): Promise<Found> {
  const graph = buildGraph(readMigrationDirectory(directory))
  if (request.only !== null && !filesById(graph).has(request.only))
    throw unknownMigration(request.only, 'among the files')
  const report = await lintMigrations(graph, {
    ...options,
    ...(request.only === null ? {} : { only: request.only }),
    ...(request.major === null ? {} : { major: request.major }),
    shadowUrl: request.shadowUrl,
    statementTimeoutMs: request.statementTimeoutMs,
  })
  if (request.write) writeFound(report, graph, directory)
  return { graph, report }
}

function textOf(
  { format, all }: LintRequest,
  result: LintResult,
  { graph, directory }: { readonly graph: MigrationGraph; readonly directory: string },
): string {
  const findings = findingsOf(result, directory, filesById(graph))
  switch (format) {
    case 'text':
      return renderLint(result, findings, { style: styleFor(process.stdout), all })
    case 'github':
      return renderGithub(findings.filter(isWorthALine))
    case 'sarif':
      return renderSarif(findings, { version: VERSION, titleOf: (rule) => kindOf(rule)?.title ?? null })
    default:
      return format satisfies never
  }
}

/** GitHub shows ten of each kind at most: what needs nothing done would hide what does. */
function isWorthALine({ severity, allowed }: Finding): boolean {
  return severity !== 'notice' && typeof allowed !== 'string'
}

/** Entries of files that are gone go with them. */
function writeFound({ linted }: LintReport, graph: MigrationGraph, directory: string): void {
  const known = readAnalysis(directory)
  const files = filesById(graph)
  const kept = Object.entries(known).filter(([id]) => files.has(id))
  const found = linted.map(({ migration: { id, checksum }, hazards, creates, locks, observed }) => {
    const seen = observed ? { hazards, locks } : { hazards: null, locks: null }
    return [id, mergeEntry(known[id], checksum, { ...seen, creates })] as const
  })
  writeFileSync(join(directory, ANALYSIS_FILE), analysisText(Object.fromEntries([...kept, ...found])))
}
