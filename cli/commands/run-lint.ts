import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ANALYSIS_FILE, analysisText, mergeEntry, readAnalysis } from '../../lambda/engine/analysis.ts'
import { kindOf } from '../../lambda/engine/hazard.ts'
import { readMigrationDirectory } from '../../lambda/engine/migration-directory.ts'
import { buildGraph, type MigrationGraph } from '../../lambda/engine/migration-graph.ts'
import { unknownMigration } from '../../lambda/engine/plan.ts'
import { VERSION } from '../../lambda/version.ts'
import { EXIT, type Outcome } from '../exit.ts'
import { lintMigrations, type LintReport } from '../lint/lint.ts'
import { pendingOn } from '../lint/pending.ts'
import { findingsOf, lintResult, type LintResult } from '../lint/result.ts'
import type { LocalSurroundings } from '../local-command.ts'
import { renderGithub, renderSarif, type Finding } from '../render/findings.ts'
import { renderLint } from '../render/lint.ts'
import { styleFor } from '../render/style.ts'
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
  const graph = buildGraph(readMigrationDirectory(settings.migrations))
  if (request.only !== null && !graph.byId.has(request.only)) throw unknownMigration(request.only, 'among the files')
  const pending = request.pending ? await pendingOn(settings, signal) : null
  const report = await lintMigrations(graph, {
    pending,
    ...(request.only === null ? {} : { only: request.only }),
    ...(request.major === null ? {} : { major: request.major }),
    shadowUrl: request.shadowUrl,
    signal,
  })
  if (request.write) writeFound(report, graph, settings.migrations)
  const result = lintResult(report, pending === null)
  const text = textOf(request, result, { graph, directory: settings.migrations })
  return { document: result, text, exitCode: result.ok ? EXIT.done : EXIT.failed }
}

function textOf(
  { format, all }: LintRequest,
  result: LintResult,
  { graph, directory }: { readonly graph: MigrationGraph; readonly directory: string },
): string {
  const sources = new Map([...graph.byId].map(([id, { migration }]) => [id, migration]))
  const findings = findingsOf(result, directory, sources)
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
  const kept = Object.entries(known).filter(([id]) => graph.byId.has(id))
  const found = linted.map(({ migration: { id, checksum }, hazards, creates, observed }) => {
    return [id, mergeEntry(known[id], checksum, { hazards: observed ? hazards : null, creates })] as const
  })
  writeFileSync(join(directory, ANALYSIS_FILE), analysisText(Object.fromEntries([...kept, ...found])))
}
