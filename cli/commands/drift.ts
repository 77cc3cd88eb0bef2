import { InvalidArgumentError, Option, type Command as Commander } from 'commander'
import { parsePatterns, PATTERN_SYNTAX } from '../../lambda/snapshot/scope.ts'
import { RECONCILIATIONS, type Reconciliation } from '../drift/reconciliation.ts'
import { parseCount } from '../options.ts'
import { selectionOf, type Select } from './selection.ts'

/** `drift` against the replayed history, as it was asked for. */
export interface DriftRequest {
  readonly command: 'drift'
  /** Patterns of what does not count. */
  readonly ignore: readonly string[]
  /** Null: no statements are wanted. */
  readonly reconcile: Reconciliation | null
  readonly major: number | null
  readonly shadowUrl: string | null
}

interface DriftOptions {
  readonly lastRun?: boolean
  readonly ignore?: readonly string[]
  /** False with `--no-reconcile`. */
  readonly reconcile?: Reconciliation | false
  readonly postgres?: number
  readonly shadowUrl?: string
}

/** Adds `drift`. */
export function addDriftCommand(
  program: Commander,
  select: Select,
  selectLocal: (request: DriftRequest) => void,
): void {
  program
    .command('drift')
    .description('show what of the live schema is not what its history makes; ends with 1 when something is not')
    .option('--last-run', 'compare with what the last run has left, without replaying the history')
    .addOption(new Option('--ignore <patterns>', 'leave out schema.name, with * for anything').argParser(parseIgnored))
    .addOption(
      new Option('--reconcile <way>', 'offer SQL that takes the changes back, or a migration that adopts them').choices(
        RECONCILIATIONS,
      ),
    )
    .option('--no-reconcile', 'offer no SQL')
    .addOption(
      new Option('--postgres <major>', "version of the throw-away server; the database's own by default").argParser(
        parseCount,
      ),
    )
    .option('--shadow-url <url>', 'a scratch server to use instead; databases are made and dropped there')
    .action((options: DriftOptions) => {
      if (options.lastRun === true) return select(selectionOf({ action: 'drift' }))
      const { reconcile = 'revert' } = options
      return selectLocal({
        command: 'drift',
        ignore: options.ignore ?? [],
        // Without the option commander says true, because there is one that negates it.
        reconcile: reconcile === false ? null : (RECONCILIATIONS.find((way) => way === reconcile) ?? 'revert'),
        major: options.postgres ?? null,
        shadowUrl: options.shadowUrl ?? null,
      })
    })
}

function parseIgnored(text: string): readonly string[] {
  const patterns = parsePatterns(text)
  if (patterns === null) throw new InvalidArgumentError(`Give ${PATTERN_SYNTAX}.`)
  return patterns
}
