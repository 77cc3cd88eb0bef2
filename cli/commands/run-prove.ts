import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ANALYSIS_FILE, analysisText, mergeEntry, readAnalysis } from '../../lambda/engine/policy/analysis.ts'
import { readMigrationDirectory } from '../../lambda/engine/migration/migration-directory.ts'
import { buildGraph } from '../../lambda/engine/plan/migration-graph.ts'
import type { Migration } from '../../lambda/engine/migration/migration.ts'
import { unknownMigration } from '../../lambda/engine/plan/plan.ts'
import { loadParser } from '../../lambda/engine/migration/statements.ts'
import type { ErrorReport } from '../../lambda/contract.ts'
import { EXIT, type Outcome } from '../exit.ts'
import { pendingOn } from '../lint/pending.ts'
import type { LocalSurroundings } from '../local-command.ts'
import type { Proof } from '../prove/proof.ts'
import { prove, type Proofs } from '../prove/prove.ts'
import { readSeed, SEED_FILE, type SeedProblem } from '../prove/seed.ts'
import { renderProofs } from '../render/proofs.ts'
import { styleFor } from '../render/style.ts'
import type { Settings } from '../settings.ts'
import { filesById } from '../shadow/replay.ts'
import { explainTrial, startShadow } from '../shadow/shadow.ts'
import type { ProveRequest } from './prove.ts'

/** The document of `prove --json`. */
export interface ProveResult {
  readonly migrations: readonly Proof[]
  /** What of the seed never ran. */
  readonly seed: readonly SeedProblem[]
  /** PostgreSQL's major version that it was tried on. */
  readonly postgres: number
  /** Roles that the migrations name and that were made for the trial. */
  readonly roles: readonly string[]
  readonly durationMs: number
  /** Why it had to stop before the end. */
  readonly error?: ErrorReport
}

/**
 * `prove`.
 *
 * @throws LockstepError `MIGRATION_UNKNOWN` for `--only`, `MIGRATION_INVALID`, `CONFIG_INVALID`, `DATABASE_UNREACHABLE`.
 */
export async function proveCommand(
  request: ProveRequest,
  settings: Settings,
  { signal }: LocalSurroundings,
): Promise<Outcome> {
  await loadParser()
  const began = performance.now()
  const { migrations: directory, historySchema } = settings
  const graph = buildGraph(readMigrationDirectory(directory))
  const files = filesById(graph)
  if (request.only !== null && !files.has(request.only)) throw unknownMigration(request.only, 'among the files')
  const seed = readSeed(directory, new Set(graph.byId.keys()))
  const pending = request.pending ? await pendingOn(settings, signal) : null
  const isWanted = (id: string): boolean =>
    (pending === null || pending.has(id)) && (request.only === null || request.only === id)
  const { major, shadowUrl: url } = request
  const shadow = await startShadow([...files.values()], { major: major ?? undefined, url, signal })
  try {
    const found = await prove(shadow, { graph, seed, isWanted, database: { historySchema, signal } })
    signal.throwIfAborted()
    if (request.write) writeProofs(found.proofs, files, directory)
    const surroundings = { postgres: shadow.server.major, roles: shadow.roles, durationMs: performance.now() - began }
    return outcomeOf(found, surroundings, request)
  } catch (error) {
    throw explainTrial(error)
  } finally {
    await shadow.stop()
  }
}

function outcomeOf(
  { proofs, seedProblems, stopped }: Proofs,
  surroundings: Pick<ProveResult, 'postgres' | 'roles' | 'durationMs'>,
  { all }: ProveRequest,
): Outcome {
  const result: ProveResult = {
    migrations: proofs,
    seed: seedProblems,
    ...surroundings,
    durationMs: Math.round(surroundings.durationMs),
    ...(stopped === null ? {} : { error: stopped.report }),
  }
  const isWell = stopped === null && seedProblems.length === 0 && proofs.every(({ verdict }) => verdict !== 'broken')
  const text = renderProofs(result, styleFor(process.stdout), { all, seedFile: SEED_FILE })
  return { document: result, text, exitCode: isWell ? EXIT.done : EXIT.failed }
}

/** Entries of files that are gone go with them. */
function writeProofs(proofs: readonly Proof[], files: ReadonlyMap<string, Migration>, directory: string): void {
  const known = readAnalysis(directory)
  const kept = Object.entries(known).filter(([id]) => files.has(id))
  const found = proofs.map((proof) => {
    const { id, verdict } = proof
    const checksum = files.get(id)?.checksum ?? ''
    return [id, mergeEntry(known[id], checksum, { proof: { verdict, detail: wholeDetail(proof) } })] as const
  })
  writeFileSync(join(directory, ANALYSIS_FILE), analysisText(Object.fromEntries([...kept, ...found])))
}

/** How many of the differences stand in the file: whoever reads a plan wants to know what is lost. */
const KEPT_DIFFERENCES = 5

function wholeDetail({ verdict, detail, differences }: Proof): string {
  if (differences.length === 0) return detail
  const isLossy = verdict === 'lossy'
  // All of it is missing.
  const lines = isLossy ? differences.map((line) => line.replace(/^- /, '')) : differences
  const kept = lines.slice(0, KEPT_DIFFERENCES)
  const more = lines.length > kept.length ? `; and ${lines.length - kept.length} more` : ''
  return `${detail.replace(/[.:]$/, '')}${isLossy ? ': ' : '; differences: '}${kept.join('; ')}${more}`
}
