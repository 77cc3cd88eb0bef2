import { differenceBetween, type CatalogDifference } from '../../lambda/engine/catalog/catalog.ts'
import type { CatalogState } from '../catalog/read-catalog.ts'
import { quoteIdentifier } from '../../lambda/engine/database.ts'
import { failureReport } from '../../lambda/engine/failure.ts'
import { differenceLines } from '../../lambda/engine/catalog/difference-lines.ts'
import { lostByDown, notBroughtBack } from './losses.ts'
import type { Proof } from './proof.ts'
import type { Before, Moment, Trial } from './trial.ts'

type Judgement = Omit<Proof, 'id'>

/** What is known beside what the trial has shown. */
interface Known {
  /** What the up may lose that the trial could not show. */
  readonly unseen: readonly string[]
  /** Roles that were made for the trials, some of them while this one was under way. */
  readonly roles: readonly string[]
}

/** What a trial says of a migration. */
export function judge(
  { beforeUp, afterUp, isSown = false }: Before,
  trial: Trial,
  { unseen, roles }: Known,
): Judgement {
  switch (trial.kind) {
    case 'down-failed':
      return broken(`The down fails: ${messageOf(trial.error)}`)
    case 'up-failed': {
      const left = differencesOf(beforeUp, trial.afterDown, roles)
      const start = !left.some(isSerious) ? 'After the down' : 'The down does not restore the schema, and then'
      return broken(`${start} the up fails: ${messageOf(trial.error)}`, differenceLines(left))
    }
    case 'done': {
      const reverted = differencesOf(beforeUp, trial.afterDown, roles)
      if (reverted.some(isSerious)) return broken('The down does not restore the schema.', differenceLines(reverted))
      const applied = differencesOf(afterUp, trial.afterUp, roles)
      if (applied.some(isSerious)) return broken('Up, down and up again give another schema.', differenceLines(applied))
      return judgeLosses(
        { beforeUp, afterUp, isSown },
        trial,
        [...differenceLines(reverted), ...differenceLines(applied)],
        unseen,
      )
    }
    default:
      return trial satisfies never
  }
}

/** Whether the schema is after the down what it was before the up, as far as any statement depends on it. */
export function isRestored(
  { beforeUp }: Pick<Before, 'beforeUp'>,
  { afterDown }: { readonly afterDown: Moment },
  roles: readonly string[],
): boolean {
  return !differencesOf(beforeUp, afterDown, roles).some(isSerious)
}

/** A role that was made because a statement failed for want of it is no work of the migration's. */
function differencesOf(before: Moment, after: Moment, roles: readonly string[]): readonly CatalogDifference[] {
  const made = new Set(roles.flatMap((role) => [`role ${role}`, `role ${quoteIdentifier(role)}`]))
  return differenceBetween(before.schema.catalog, after.schema.catalog).filter(
    ({ name, missing, isWhole }) => !isWhole || missing.length > 0 || !made.has(name),
  )
}

function judgeLosses(
  { beforeUp, afterUp, isSown }: Required<Before>,
  trial: Extract<Trial, { readonly kind: 'done' }>,
  minor: readonly string[],
  unseen: readonly string[],
): Judgement {
  const emptied = isSown
    ? []
    : madeAnew(beforeUp.schema, trial.afterDown.schema, (table, column) => {
        const content = beforeUp.content.get(table)
        return (column === null ? content?.rows : content?.columns.get(column)?.values) ?? 0
      })
  const rows = [
    ...(isSown ? [] : notBroughtBack(beforeUp.content, trial.afterDown.content)),
    ...lostByDown(afterUp.content, trial.afterUp.content),
    ...unseen,
  ]
  const differences = [...new Set([...rows, ...emptied, ...minor])]
  if (differences.length === 0) {
    return { verdict: 'proven', detail: 'Up, down and up again: the schema is the same each time.', differences }
  }
  const detail =
    rows.length + emptied.length > 0
      ? 'The down does not bring all data back.'
      : 'The schema is restored but for what no query by name sees.'
  return { verdict: 'lossy', detail, differences }
}

/**
 * Tables and columns that the up drops and the down makes again: whatever is in them in production is gone, also where
 * there is nothing in them here. Those whose rows came back are judged by these.
 */
function madeAnew(
  before: CatalogState,
  after: CatalogState,
  rowsBefore: (table: string, column: string | null) => number,
): readonly string[] {
  const now = new Map([...after.relations].map(([id, relation]) => [relation.name, { id, ...relation }]))
  return [...before.relations].flatMap(([id, { name, columns, entry }]): readonly string[] => {
    const same = now.get(name)
    if (same === undefined || !entry.lines.some((line) => TABLE.test(line))) return []
    if (same.id !== id)
      return rowsBefore(name, null) > 0
        ? []
        : [`- rows of ${name}: the up drops the table, and the down makes it again without them`]
    return anewIn(columns, same.columns)
      .filter((column) => rowsBefore(name, column) === 0)
      .map(
        (column) => `- values of ${name}.${column}: the up drops the column, and the down makes it again without them`,
      )
  })
}

const TABLE = /^(?:partitioned )?table /

/** Names of the columns that are others than before, by their numbers. */
function anewIn(before: string, after: string): readonly string[] {
  const had = JSON.parse(before) as Readonly<Record<string, string>>
  const has = new Map(
    Object.entries(JSON.parse(after) as Record<string, string>).map(([number, name]) => [name, number]),
  )
  return Object.entries(had).flatMap(([number, name]) => {
    const found = has.get(name)
    return found !== undefined && found !== number ? [name] : []
  })
}

/** Lines that say what is the same to whoever names what he wants: no statement of an application depends on them. */
const MINOR = /^(?:order of columns|name of not null): /

function isSerious({ missing, added }: CatalogDifference): boolean {
  return [...missing, ...added].some((line) => !MINOR.test(line))
}

function broken(detail: string, differences: readonly string[] = []): Judgement {
  return { verdict: 'broken', detail, differences }
}

/** What a step failed with, and where. */
export function messageOf(error: unknown): string {
  return failureReport(error, '', false).message
}
