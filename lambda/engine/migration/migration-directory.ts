import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, parse, resolve } from 'node:path'
import { LockstepError, messageOf, UNTOUCHED } from '../../errors.ts'
import { invalidMigration, refuse, type Report } from './invalid.ts'
import type { CompiledModule, Migration } from './migration.ts'
import { parseRepeatable, parseSqlMigration } from './sql-migration.ts'
import { parseTypeScriptMigration } from './typescript-migration.ts'

/** The directory beside the migrations whose files are applied again whenever they change. */
export const REPEATABLE_DIRECTORY = 'repeatable'

/** sha256, hex, over the text with line endings normalised: a CRLF checkout is the same migration. */
export function checksumOf(source: string): string {
  return createHash('sha256').update(source, 'utf8').digest('hex')
}

/** LF line endings, no byte order mark. */
export function normalise(text: string): string {
  return text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n')
}

/**
 * Reads every `.sql` and `.ts` file of a directory, and the `.sql` files of its `repeatable/`. Synchronous, because CDK constructs are.
 *
 * @param report - takes what is wrong with a file; one that cannot be read at all is left out. @default thrown
 * @throws LockstepError `CONFIG_INVALID` when the directory cannot be read, `MIGRATION_INVALID` for a file.
 */
export function readMigrationDirectory(directory: string, report: Report = refuse): readonly Migration[] {
  const read = new Map<string, Migration>()
  for (const file of [...migrationFiles(directory), ...repeatableFiles(directory, report)]) {
    const migration = readOr(directory, file, report)
    if (migration === null) continue
    if (read.has(migration.id)) report(sameId(migration))
    else read.set(migration.id, migration)
  }
  return [...read.values()]
}

function readOr(directory: string, file: string, report: Report): Migration | null {
  try {
    return readMigrationFile(directory, file, { report })
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error
    report(error)
    return null
  }
}

function sameId({ id, file }: Migration): LockstepError {
  return invalidMigration({
    migration: id,
    file,
    message: `two files have the id "${id}".`,
    remedy: 'Rename one of them.',
  })
}

function migrationFiles(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isFile() && isMigrationFile(entry.name))
      .map((entry) => entry.name)
      .toSorted()
  } catch (error) {
    throw new LockstepError({
      code: 'CONFIG_INVALID',
      message: `The migrations directory "${directory}" cannot be read: ${messageOf(error)}.`,
      state: UNTOUCHED,
      remedy: 'Give the directory that holds the migration files (--migrations, or the construct\'s "migrations").',
      cause: error,
    })
  }
}

function repeatableFiles(directory: string, report: Report): readonly string[] {
  const path = join(directory, REPEATABLE_DIRECTORY)
  if (!existsSync(path)) return []
  return migrationFiles(path).flatMap((name) => {
    const file = `${REPEATABLE_DIRECTORY}/${name}`
    if (name.endsWith('.sql')) return [file]
    report(
      invalidMigration({
        migration: file,
        file,
        message: 'a repeatable is a .sql file.',
        remedy: 'Move it to the migrations, or write it in SQL.',
      }),
    )
    return []
  })
}

function isMigrationFile(name: string): boolean {
  if (name.startsWith('.') || name === 'seed.sql') return false
  return name.endsWith('.sql') || (name.endsWith('.ts') && !name.endsWith('.d.ts'))
}

/** Reads one file. `module` is where its compiled form is, for a `.ts` that was compiled at synth. */
export function readMigrationFile(
  directory: string,
  file: string,
  { module = file, report = refuse }: { readonly module?: string | undefined; readonly report?: Report } = {},
): Migration {
  const isRepeatable = file.startsWith(`${REPEATABLE_DIRECTORY}/`)
  const migration = isRepeatable ? file.replace(/\.sql$/, '') : parse(file).name
  const source = normalise(decode(readFileSync(join(directory, file)), { migration, file }))
  const base = { migration, file, source, checksum: checksumOf(source) }
  if (isRepeatable) return parseRepeatable(base, report)
  if (file.endsWith('.sql')) return parseSqlMigration(base, report)
  const exports = loadModule(directory, module, migration)
  const compiled = module === file ? null : compiledModule(directory, module)
  return parseTypeScriptMigration({ ...base, exports, compiled }, report)
}

function compiledModule(directory: string, module: string): CompiledModule {
  const code = readFileSync(join(directory, module), 'utf8')
  return { code, checksum: checksumOf(code) }
}

/** Bytes that are not UTF-8 would be replaced without a word, and the data of the migration with them. */
function decode(bytes: Uint8Array, place: { readonly migration: string; readonly file: string }): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (!text.includes('\0')) return text
  } catch {
    // Falls through.
  }
  throw invalidMigration({
    ...place,
    message: 'it is not UTF-8 text.',
    remedy: 'Save the file as UTF-8 without NUL characters (iconv -f latin1 -t utf-8, if it was Latin-1).',
  })
}

function loadModule(directory: string, file: string, migration: string): Readonly<Record<string, unknown>> {
  const path = resolve(directory, file)
  try {
    return createRequire(path)(path) as Readonly<Record<string, unknown>>
  } catch (error) {
    throw invalidMigration({
      migration,
      file,
      message: `it cannot be loaded: ${messageOf(error)}.`,
      remedy: remedyForModule(error),
    })
  }
}

function remedyForModule(error: unknown): string {
  if (/Unexpected token 'export'|Cannot use import statement/.test(messageOf(error))) {
    return 'Write "type": "module" in the nearest package.json, or put a package.json with just that into the migrations directory: Node took the file for CommonJS.'
  }
  return 'Correct the file: it must be an ES module without top-level await, in TypeScript that needs no compiler.'
}
