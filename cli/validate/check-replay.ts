import type { MigrationGraph, Node } from '../../lambda/engine/plan/migration-graph.ts'
import { SqlError } from '../../lambda/engine/database.ts'
import { failureReport, StepError } from '../../lambda/engine/failure/failure.ts'
import { upStep } from '../../lambda/engine/plan/step.ts'
import { LockstepError, UNTOUCHED } from '../../lambda/errors.ts'
import { extensionError, missingExtension } from '../shadow/missing-extension.ts'
import { nodesOf } from '../shadow/replay.ts'
import type { ShadowDatabase } from '../shadow/shadow-database.ts'
import { problemOf, type ValidationProblem } from './problem.ts'

export interface Replayed {
  readonly problems: readonly ValidationProblem[]
  /** How many ran to their end. */
  readonly applied: number
  /** How many failed for want of what an earlier one should have made. */
  readonly consequences: number
}

/**
 * Applies the whole set to an empty database. Goes on after one that fails; what fails only because of it is counted and
 * not told.
 *
 * @param missing - texts of the files that could not be read, and so are missing from the set
 */
export async function checkReplay(
  database: ShadowDatabase,
  graph: MigrationGraph,
  missing: readonly string[],
): Promise<Replayed> {
  const problems: ValidationProblem[] = []
  const suspects = new Set(missing.flatMap(wordsOf))
  let applied = 0
  let consequences = 0
  for (const node of nodesOf(graph)) {
    const failure = await failureOf(database, node)
    if (failure === null) {
      applied += 1
      continue
    }
    if (isConsequence(failure, suspects)) consequences += 1
    else problems.push(toProblem(node, failure))
    for (const word of wordsOf(node.migration.source)) suspects.add(word)
    if (!database.connection.isOpen()) break
  }
  return { problems, applied, consequences }
}

async function failureOf(database: ShadowDatabase, node: Node): Promise<unknown> {
  try {
    await database.apply(upStep(node))
    return null
  } catch (error) {
    return error
  }
}

/** table, column, object, function, schema (PostgreSQL, appendix A) */
const MISSING = new Set(['42P01', '42703', '42704', '42883', '3F000'])

/** Whether what is missing is something that a text which failed speaks of, and so should perhaps have made. */
function isConsequence(error: unknown, suspects: ReadonlySet<string>): boolean {
  const cause = error instanceof StepError ? error.cause : error
  if (!(cause instanceof SqlError) || !MISSING.has(cause.sqlState)) return false
  const names = [...cause.message.matchAll(/(?:^|[\s".])([\p{L}_][\p{L}\d_$]*)(?=["\s.(]|$)/gu)].map(
    ([, name = '']) => name,
  )
  return names.some((name) => !WORDS.has(name) && suspects.has(name.toLowerCase()))
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}_][\p{L}\d_$]*/gu) ?? []
}

/** Words of PostgreSQL's own in these messages. */
const WORDS = new Set(
  'relation column of does not exist type function schema role table view index constraint for procedure trigger operator aggregate collation sequence in'.split(
    ' ',
  ),
)

function toProblem({ migration }: Node, error: unknown): ValidationProblem {
  const extension = missingExtension(error)
  if (extension !== null) return { ...problemOf(extensionError(extension, migration.id)), file: migration.file }
  if (error instanceof LockstepError) return problemOf(error)
  const {
    state: _state,
    migration: id = migration.id,
    file = migration.file,
    ...report
  } = failureReport(error, UNTOUCHED, false)
  return { severity: 'error', migration: id, file, ...report }
}
