import { Option, type Command as Commander } from 'commander'
import { parseCount } from '../options.ts'
import { FINDING_FORMATS, type FindingFormat } from '../render/findings.ts'

/** `lint`, as it was asked for. */
export interface LintRequest {
  readonly command: 'lint'
  /** Only what is pending on the database, as one run. */
  readonly pending: boolean
  readonly only: string | null
  readonly format: FindingFormat
  /** Write what was found beside the migrations. */
  readonly write: boolean
  /** Show notices and what is allowed as well. */
  readonly all: boolean
  readonly major: number | null
  readonly shadowUrl: string | null
  readonly statementTimeoutMs: number
  /** File that `status --statistics` wrote. */
  readonly statistics: string | null
}

interface LintOptions {
  readonly pending?: boolean
  readonly only?: string
  readonly format: FindingFormat
  readonly write?: boolean
  readonly all?: boolean
  readonly postgres?: number
  readonly shadowUrl?: string
  readonly statistics?: string
  readonly statementTimeout: number
}

/** Adds `lint`. */
export function addLintCommand(program: Commander, select: (request: LintRequest) => void): void {
  program
    .command('lint')
    .description('run the migrations on a throw-away server and show what they lock, rewrite, scan, break or lose')
    .option('--pending', 'only what is pending on the database, as one run; without, each migration by itself')
    .option('--only <id>', 'only this migration')
    .addOption(new Option('--format <format>', 'how to show what was found').choices(FINDING_FORMATS).default('text'))
    // What one run is spared, because it makes the table itself, another one is not.
    .addOption(
      new Option('--write', 'write what was found to lockstep.analysis.json beside the migrations').conflicts(
        'pending',
      ),
    )
    .option('--all', 'show notices, and what the files allow, as well')
    .addOption(new Option('--postgres <major>', 'version of the throw-away server').argParser(parseCount))
    .option('--shadow-url <url>', 'a scratch server to use instead; databases are made and dropped there')
    .addOption(
      new Option('--statistics <file>', 'weigh what is found by what "status --statistics" wrote').conflicts('pending'),
    )
    .addOption(
      new Option('--statement-timeout <seconds>', 'how long a statement may run there before it is ended')
        .argParser(parseCount)
        .default(60),
    )
    .action((options: LintOptions) => {
      select({
        command: 'lint',
        pending: options.pending ?? false,
        only: options.only ?? null,
        format: options.format,
        write: options.write ?? false,
        all: options.all ?? false,
        major: options.postgres ?? null,
        shadowUrl: options.shadowUrl ?? null,
        statistics: options.statistics ?? null,
        statementTimeoutMs: options.statementTimeout * 1000,
      })
    })
}
