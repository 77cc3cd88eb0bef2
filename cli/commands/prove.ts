import { Option, type Command as Commander } from 'commander'
import { parseCount } from '../options.ts'

/** `prove`, as it was asked for. */
export interface ProveRequest {
  readonly command: 'prove'
  /** Only what is pending on the database. */
  readonly pending: boolean
  readonly only: string | null
  /** Write the verdicts beside the migrations. */
  readonly write: boolean
  /** Show what is proven as well. */
  readonly all: boolean
  readonly major: number | null
  readonly shadowUrl: string | null
}

interface ProveOptions {
  readonly pending?: boolean
  readonly only?: string
  readonly write?: boolean
  readonly all?: boolean
  readonly postgres?: number
  readonly shadowUrl?: string
}

/** Adds `prove`. */
export function addProveCommand(program: Commander, select: (request: ProveRequest) => void): void {
  program
    .command('prove')
    .description('run up, down and up again on a throw-away server, and show which downs undo their ups')
    .option('--pending', 'only what is pending on the database')
    .option('--only <id>', 'only this migration')
    .option('--write', 'write the verdicts to lockstep.analysis.json beside the migrations')
    .option('--all', 'show what is proven as well')
    .addOption(new Option('--postgres <major>', 'version of the throw-away server').argParser(parseCount))
    .option('--shadow-url <url>', 'a scratch server to use instead; databases are made and dropped there')
    .action((options: ProveOptions) => {
      select({
        command: 'prove',
        pending: options.pending ?? false,
        only: options.only ?? null,
        write: options.write ?? false,
        all: options.all ?? false,
        major: options.postgres ?? null,
        shadowUrl: options.shadowUrl ?? null,
      })
    })
}
