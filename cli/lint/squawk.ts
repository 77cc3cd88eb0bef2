import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SqlMigration } from '../../lambda/engine/migration/migration.ts'
import { messageOf } from '../../lambda/errors.ts'

/** What squawk says of one place. */
export interface SquawkFinding {
  /** `squawk:<rule>`. */
  readonly rule: string
  /** 1-based, in the migration file. */
  readonly line: number
  readonly lastLine: number
  readonly message: string
  readonly help: string | null
  /** It would not be said of a file that is known to run in a transaction, as this one does. */
  readonly isMoot: boolean
}

export interface SquawkReport {
  /** By migration id. */
  readonly findings: ReadonlyMap<string, readonly SquawkFinding[]>
  /** Why the static rules were left out; null when they were not. */
  readonly absent: string | null
}

/** Path of squawk's program for this machine, or why there is none. */
function squawkProgram(): { readonly path: string } | { readonly absent: string } {
  try {
    const { getBinaryPath } = createRequire(import.meta.url)('squawk-cli/js/index.js') as {
      readonly getBinaryPath: () => string
    }
    return { path: getBinaryPath() }
  } catch (error) {
    const [reason] = messageOf(error).split('\n')
    return { absent: `The static rules of squawk were left out: there is no squawk for this machine (${reason ?? ''})` }
  }
}

/**
 * Lets squawk look at the ups of SQL migrations: as it would by itself, and knowing which of them run in a transaction.
 * Neither hides what the other says.
 *
 * @param major - of the server that they are written for
 */
export async function runSquawk(migrations: readonly SqlMigration[], major: number): Promise<SquawkReport> {
  const program = squawkProgram()
  if ('absent' in program) return { findings: new Map(), absent: program.absent }
  if (migrations.length === 0) return { findings: new Map(), absent: null }
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-squawk-'))
  try {
    const files = await writeUps(directory, migrations)
    const inTransaction = files.filter(({ migration }) => migration.up.transactional)
    const run = (chosen: readonly UpFile[], ...options: string[]): Promise<readonly Reported[]> =>
      runOn(program.path, chosen, [`--pg-version=${major}.0`, ...options])
    const [plain, within] = await Promise.all([run(files), run(inTransaction, '--assume-in-transaction')])
    return { findings: together(files, plain, within), absent: null }
  } catch (error) {
    return {
      findings: new Map(),
      absent: `The static rules of squawk were left out: squawk failed (${messageOf(error)})`,
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

interface UpFile {
  readonly path: string
  readonly migration: SqlMigration
}

/** The up alone, with every line where it stands in the file. */
async function writeUps(directory: string, migrations: readonly SqlMigration[]): Promise<readonly UpFile[]> {
  const files = migrations.map((migration, index) => ({ path: join(directory, `${index}.sql`), migration }))
  for (const { path, migration } of files) await writeFile(path, upInPlace(migration))
  return files
}

function upInPlace({ source, up }: SqlMigration): string {
  const lines: string[] = source.split('\n').map(() => '')
  for (const { text, line } of up.blocks)
    for (const [index, each] of text.split('\n').entries()) lines[line - 1 + index] = each
  return lines.join('\n')
}

interface Reported {
  readonly file: string
  readonly line: number
  readonly line_end?: number
  readonly column: number
  readonly message: string
  readonly help: string | null
  readonly rule_name: string
}

/** So many names fit on any command line. */
const FILES_AT_ONCE = 200
const LONGEST_ANSWER_BYTES = 256 * 1024 * 1024

async function runOn(
  program: string,
  files: readonly UpFile[],
  options: readonly string[],
): Promise<readonly Reported[]> {
  const reported: Reported[] = []
  for (let from = 0; from < files.length; from += FILES_AT_ONCE) {
    const paths = files.slice(from, from + FILES_AT_ONCE).map(({ path }) => path)
    reported.push(...(await ask(program, ['--reporter=json', ...options, ...paths])))
  }
  return reported
}

/** It ends with 1 when it finds something: only an answer that is none is a failure. */
function ask(program: string, args: readonly string[]): Promise<readonly Reported[]> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { maxBuffer: LONGEST_ANSWER_BYTES }, (error, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout) as readonly Reported[])
      } catch {
        reject(new Error((stderr.trim() || (error === null ? 'no answer' : messageOf(error))).slice(0, 500)))
      }
    })
  })
}

function together(
  files: readonly UpFile[],
  plain: readonly Reported[],
  within: readonly Reported[],
): ReadonlyMap<string, readonly SquawkFinding[]> {
  const byFile = (reported: readonly Reported[]): ReadonlyMap<string, readonly Reported[]> =>
    Map.groupBy(reported, ({ file }) => file)
  const [plainOf, withinOf] = [byFile(plain), byFile(within)]
  return new Map(
    files.map(({ path, migration }) => {
      const known = withinOf.get(path) ?? []
      const knownKeys = new Set(known.map(keyOf))
      const others = (plainOf.get(path) ?? []).filter((each) => !knownKeys.has(keyOf(each)))
      const { transactional } = migration.up
      return [
        migration.id,
        [...known.map((each) => toFinding(each, false)), ...others.map((each) => toFinding(each, transactional))],
      ]
    }),
  )
}

function keyOf({ rule_name: rule, line, column }: Reported): string {
  return `${rule} ${line} ${column}`
}

function toFinding(
  { rule_name: rule, line, line_end: lastLine = line, message, help }: Reported,
  isMoot: boolean,
): SquawkFinding {
  return { rule: `squawk:${rule}`, line: line + 1, lastLine: lastLine + 1, message, help, isMoot }
}
