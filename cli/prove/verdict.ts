import { differenceBetween, type CatalogDifference } from '../../lambda/engine/catalog/catalog.ts'
import { quoteIdentifier } from '../../lambda/engine/database.ts'
import { failureReport } from '../../lambda/engine/failure/failure.ts'
import { differenceLines } from '../../lambda/engine/catalog/difference-lines.ts'
import { lostByDown, notBroughtBack } from './losses.ts'
import { anewText, madeAnew, valuesOf } from './made-anew.ts'
import type { Proof } from './proof.ts'
import { setBack } from './sequences.ts'
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
  const anew = isSown ? [] : madeAnew(beforeUp.schema, trial.afterDown.schema)
  // Those whose rows came back are judged by these.
  const emptied = anew.filter((each) => valuesOf(each, beforeUp.content) === 0)
  const rows = [
    ...(isSown ? [] : notBroughtBack(beforeUp.content, trial.afterDown.content)),
    ...(isSown ? [] : setBack(beforeUp, trial.afterDown, emptied)),
    ...lostByDown(afterUp.content, trial.afterUp.content),
    ...unseen,
    ...emptied.map(anewText),
  ]
  const differences = [...new Set([...rows, ...minor])]
  if (differences.length === 0) {
    return { verdict: 'proven', detail: 'Up, down and up again: the schema is the same each time.', differences }
  }
  return { verdict: 'lossy', detail: detailOf(rows), differences }
}

function detailOf(rows: readonly string[]): string {
  if (rows.length === 0) return 'The schema is restored but for what no query by name sees.'
  return rows.every((line) => line.startsWith('+'))
    ? 'The down leaves rows behind that the up has put in.'
    : 'The down does not bring all data back.'
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
