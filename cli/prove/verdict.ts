import { differenceBetween, type CatalogDifference } from '../../lambda/engine/catalog/catalog.ts'
import type { CatalogState } from '../catalog/read-catalog.ts'
import { failureReport } from '../../lambda/engine/failure.ts'
import { differenceLines } from '../../lambda/engine/catalog/difference-lines.ts'
import { lostByDown, notBroughtBack } from './losses.ts'
import type { Proof } from './proof.ts'
import type { Before, Trial } from './trial.ts'

type Judgement = Omit<Proof, 'id'>

/**
 * What a trial says of a migration.
 *
 * @param unseen - what the up may lose that the trial could not show
 */
export function judge(
  { beforeUp, afterUp, isSown = false }: Before,
  trial: Trial,
  unseen: readonly string[],
): Judgement {
  switch (trial.kind) {
    case 'down-failed':
      return broken(`The down fails: ${messageOf(trial.error)}`)
    case 'up-failed': {
      const left = differenceBetween(beforeUp.schema.catalog, trial.afterDown.schema.catalog)
      const start = left.some(isSerious) ? 'The down does not restore the schema, and then' : 'After the down'
      return broken(`${start} the up fails: ${messageOf(trial.error)}`, differenceLines(left))
    }
    case 'done': {
      const reverted = differenceBetween(beforeUp.schema.catalog, trial.afterDown.schema.catalog)
      if (reverted.some(isSerious)) return broken('The down does not restore the schema.', differenceLines(reverted))
      const applied = differenceBetween(afterUp.schema.catalog, trial.afterUp.schema.catalog)
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

/** Whether whoever names what he wants may notice. */
export function isSerious({ missing, added }: CatalogDifference): boolean {
  return [...missing, ...added].some((line) => !MINOR.test(line))
}

function broken(detail: string, differences: readonly string[] = []): Judgement {
  return { verdict: 'broken', detail, differences }
}

/** What a step failed with, and where. */
export function messageOf(error: unknown): string {
  return failureReport(error, '', false).message
}
