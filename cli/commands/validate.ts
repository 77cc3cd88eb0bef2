import { Option, type Command as Commander } from 'commander'
import { parseCount } from '../options.ts'
import { FINDING_FORMATS, type FindingFormat } from '../render/findings.ts'

/** `validate`, as it was asked for. */
export interface ValidateRequest {
  readonly command: 'validate'
  /** Apply the whole set to a throw-away server. */
  readonly replay: boolean
  readonly format: FindingFormat
  readonly major: number | null
  readonly shadowUrl: string | null
}

interface ValidateOptions {
  readonly replay: boolean
  readonly format: FindingFormat
  readonly postgres?: number
  readonly shadowUrl?: string
}

/** Adds `validate`. */
export function addValidateCommand(program: Commander, select: (request: ValidateRequest) => void): void {
  program
    .command('validate')
    .description('check every migration: syntax, order, directives, downs, history, and that the whole set runs')
    .option('--no-replay', 'do not apply the set to a throw-away server')
    .addOption(new Option('--format <format>', 'how to show what was found').choices(FINDING_FORMATS).default('text'))
    .addOption(new Option('--postgres <major>', 'version of the throw-away server').argParser(parseCount))
    .option('--shadow-url <url>', 'a scratch server to use instead; databases are made and dropped there')
    .action((options: ValidateOptions) => {
      select({
        command: 'validate',
        replay: options.replay,
        format: options.format,
        major: options.postgres ?? null,
        shadowUrl: options.shadowUrl ?? null,
      })
    })
}
