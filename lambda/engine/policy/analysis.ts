import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AnalysisEntry } from '../../analysis-contract.ts'
import { LockstepError, messageOf, UNTOUCHED } from '../../errors.ts'

/** Stands beside the migrations: what `lint` and `prove` found of them. */
export const ANALYSIS_FILE = 'lockstep.analysis.json'

/** By id. */
export type Analysis = Readonly<Record<string, AnalysisEntry>>

/**
 * Reads the file beside the migrations; nothing is known where there is none.
 *
 * @throws LockstepError `CONFIG_INVALID` for one that is not of this form.
 */
export function readAnalysis(directory: string): Analysis {
  const path = join(directory, ANALYSIS_FILE)
  if (!existsSync(path)) return {}
  try {
    const document = JSON.parse(readFileSync(path, 'utf8')) as unknown
    if (isAnalysis(document)) return document.migrations
  } catch (error) {
    throw invalidAnalysis(`it cannot be read (${messageOf(error)})`)
  }
  throw invalidAnalysis('it is of another form')
}

function isAnalysis(document: unknown): document is { readonly migrations: Analysis } {
  if (typeof document !== 'object' || document === null) return false
  const { version, migrations } = document as { readonly version?: unknown; readonly migrations?: unknown }
  if (version !== 1 || typeof migrations !== 'object' || migrations === null) return false
  return Object.values(migrations).every(isEntry)
}

function isEntry(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { checksum, proof, hazards, creates, locks = null } = value as Readonly<Record<string, unknown>>
  const isProof = proof === null || (typeof proof === 'object' && 'verdict' in proof)
  return (
    typeof checksum === 'string' &&
    isProof &&
    [hazards, locks].every((list) => list === null || Array.isArray(list)) &&
    Array.isArray(creates)
  )
}

/** The same file for the same findings: sorted, so that it can be committed. */
export function analysisText(analysis: Analysis): string {
  const migrations = Object.fromEntries(Object.entries(analysis).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return `${JSON.stringify({ version: 1, migrations }, null, 2)}\n`
}

/** What is known with what was just found: an entry of another checksum is worth nothing any more. */
export function mergeEntry(
  known: AnalysisEntry | undefined,
  checksum: string,
  found: Partial<Omit<AnalysisEntry, 'checksum'>>,
): AnalysisEntry {
  const nothing = { checksum, proof: null, hazards: null, creates: [], locks: null }
  return { ...nothing, ...(known?.checksum === checksum ? known : {}), ...found }
}

function invalidAnalysis(problem: string): LockstepError {
  return new LockstepError({
    code: 'CONFIG_INVALID',
    message: `${ANALYSIS_FILE} beside the migrations is of no use: ${problem}.`,
    state: UNTOUCHED,
    remedy: 'Make it anew: "lockstep lint --write" and "lockstep prove --write".',
  })
}
