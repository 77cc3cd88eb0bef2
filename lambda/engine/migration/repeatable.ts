import type { Connection } from '../database.ts'
import type { EngineContext } from '../context.ts'
import { compareIds, type MigrationGraph, type Node } from '../plan/migration-graph.ts'
import type { SqlMigration, SqlSection } from './migration.ts'
import { parseRepeatable } from './sql-migration.ts'
import { readSources, type AppliedMigration } from '../history/state.ts'

/** Each text that was applied is a row of the history: `repeatable/views#3` is the third of `repeatable/views`. */
const VERSION = /^(repeatable\/.+)#(\d+)$/

type Id = Pick<AppliedMigration, 'id'>

/** Whether an id in the history is that of a repeatable. */
export function isRepeatable({ id }: Id): boolean {
  return VERSION.test(id)
}

/** The file's id, of the id of one of its versions. */
export function fileIdOf({ id }: Id): string {
  return VERSION.exec(id)?.[1] ?? id
}

/** The last applied migration that is no repeatable: where the database stands. */
export function currentOf<T extends Id>(applied: readonly T[]): T | undefined {
  return applied.findLast((entry) => !isRepeatable(entry))
}

/** The text of a repeatable that is in force. */
function latestOf(applied: readonly AppliedMigration[], fileId: string): AppliedMigration | undefined {
  return applied.findLast((entry) => isRepeatable(entry) && fileIdOf(entry) === fileId)
}

/** What was in force before this version. */
export function previousOf(
  applied: readonly AppliedMigration[],
  entry: AppliedMigration,
): AppliedMigration | undefined {
  return latestOf(
    applied.filter(({ position }) => position < entry.position),
    fileIdOf(entry),
  )
}

/** The repeatables whose text is not the one in force, by id. They come after everything else. */
export function changedRepeatables(
  graph: MigrationGraph,
  applied: readonly AppliedMigration[],
): readonly SqlMigration[] {
  return graph.repeatables
    .filter(({ id, checksum }) => latestOf(applied, id)?.checksum !== checksum)
    .toSorted((a, b) => compareIds(a.id, b.id))
}

/**
 * Repeatables that are not as these files say, but as a later deployment has left them: the file has the text that was in
 * force before. One that only the later deployment has is among them when there is anything else to take back.
 *
 * @param others - whether there is
 */
export function foreignRepeatables(
  graph: MigrationGraph,
  applied: readonly AppliedMigration[],
  others: boolean,
): readonly AppliedMigration[] {
  const files = new Map(graph.repeatables.map((file) => [file.id, file]))
  const latest = applied.filter((entry) => isRepeatable(entry) && latestOf(applied, fileIdOf(entry)) === entry)
  const restored = latest.filter((entry) => {
    const file = files.get(fileIdOf(entry))
    if (file === undefined || file.checksum === entry.checksum) return false
    return previousOf(applied, entry)?.checksum === file.checksum
  })
  const unknown = latest.filter((entry) => !files.has(fileIdOf(entry)))
  return others || restored.length > 0 ? [...restored, ...unknown] : []
}

/** The changed repeatables as the next versions of themselves, each with the text in force before as its down. */
export async function repeatableNodes(
  connection: Connection,
  context: Pick<EngineContext, 'schema' | 'set'>,
  files: readonly SqlMigration[],
  applied: readonly AppliedMigration[],
): Promise<readonly Node[]> {
  const before = new Map(files.map(({ id }) => [id, latestOf(applied, id)]))
  const sources = await readSources(
    connection,
    context,
    [...before.values()].flatMap((entry) => entry?.id ?? []),
  )
  return files.map((file) => {
    const versions = applied.filter((entry) => isRepeatable(entry) && fileIdOf(entry) === file.id)
    const last = versions.reduce((most, entry) => Math.max(most, numberOf(entry)), 0)
    const source = sources.get(before.get(file.id)?.id ?? '')
    return { migration: { ...file, id: `${file.id}#${last + 1}`, down: wayBack(file, source) }, parents: [] }
  })
}

function numberOf({ id }: Id): number {
  return Number(VERSION.exec(id)?.[2] ?? 0)
}

const NOTHING: SqlSection = { blocks: [], transactional: true }

/** The text before; of the first one the file's own down, or nothing: what it has made then stays. */
function wayBack(file: Pick<SqlMigration, 'file' | 'down'>, before: string | undefined): SqlSection {
  if (before === undefined) return file.down ?? NOTHING
  return parseRepeatable({ migration: file.file, file: file.file, source: before, checksum: '' }).up
}

/** A version with its way back, from the sources that the history holds. */
export function repeatableToRevert(
  entry: AppliedMigration,
  sources: { readonly own: string; readonly before: string | undefined },
): SqlMigration {
  const file = `${fileIdOf(entry)}.sql`
  const own = parseRepeatable({ migration: entry.id, file, source: sources.own, checksum: entry.checksum })
  return { ...own, down: wayBack(own, sources.before) }
}
