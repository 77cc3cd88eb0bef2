import { Option, type Command as Commander } from 'commander'
import { parseCount } from '../options.ts'

export const REHEARSAL_FORMATS = ['text', 'markdown'] as const
type RehearsalFormat = (typeof REHEARSAL_FORMATS)[number]

/** `rehearse`, as it was asked for. */
export interface RehearseRequest {
  readonly command: 'rehearse'
  /** Uri of a snapshot, or `latest`. Null: the structure of the live database. */
  readonly snapshot: string | null
  readonly major: number | null
  readonly shadowUrl: string | null
  /** Leave the database on the scratch server. */
  readonly keep: boolean
  readonly format: RehearsalFormat
}

interface RehearseOptions {
  readonly snapshot?: string
  readonly postgres?: number
  readonly shadowUrl?: string
  readonly keep?: boolean
  readonly format: RehearsalFormat
}

/** Adds `rehearse`. */
export function addRehearseCommand(program: Commander, select: (request: RehearseRequest) => void): void {
  const command = program
    .command('rehearse')
    .description('run what is pending on a copy of the database: up, down, up again, with times and locks')
  command
    .option('--snapshot <uri>', 'copy this snapshot, or the "latest"; without, the structure of the database alone')
    .addOption(
      new Option('--postgres <major>', 'version of the throw-away server, if not that of the original').argParser(
        parseCount,
      ),
    )
    .option('--shadow-url <url>', 'a scratch server to use instead; a database is made and dropped there')
    .option('--keep', 'leave the database on the scratch server, to look around')
    .addOption(new Option('--format <format>', 'how to show it').choices(REHEARSAL_FORMATS).default('text'))
    .action((options: RehearseOptions) => {
      if (options.keep === true && options.shadowUrl === undefined)
        command.error("error: option '--keep' needs option '--shadow-url <url>'")
      select({
        command: 'rehearse',
        snapshot: options.snapshot ?? null,
        major: options.postgres ?? null,
        shadowUrl: options.shadowUrl ?? null,
        keep: options.keep ?? false,
        format: options.format,
      })
    })
}
