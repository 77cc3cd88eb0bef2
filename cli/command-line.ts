import { VERSION } from '../lambda/version.ts'
import { EXIT } from './exit.ts'
import { DATABASE_URL_VARIABLE, OPTION_VARIABLES } from './options.ts'
import { processOutput, type Output } from './output.ts'
import { parseCommandLine, type Invocation } from './program.ts'
import { redactorFor } from './redact.ts'
import { runCommand, runLocalCommand } from './run-command.ts'

type UsageError = Extract<Invocation, { readonly kind: 'usage' }>

/** Does what the arguments ask and gives the exit code. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  // A variable that is set but blank, as pipelines make them, counts as not set.
  for (const name of OPTION_VARIABLES) if (process.env[name]?.trim() === '') delete process.env[name]
  const output = processOutput(redactorFor([...args, process.env[DATABASE_URL_VARIABLE]]))
  const invocation = parseCommandLine(args, VERSION)
  switch (invocation.kind) {
    case 'text':
      await output.text(invocation.text)
      return EXIT.done
    case 'usage':
      return tellUsage(invocation, args.includes('--json'), output)
    case 'command':
      return runCommand(invocation.command, output)
    case 'local':
      return runLocalCommand(invocation.command, output)
    default:
      return invocation satisfies never
  }
}

async function tellUsage(usage: UsageError, json: boolean, output: Output): Promise<number> {
  const { message, help } = usage
  const remedy = 'Run "lockstep --help" to see the commands, or "lockstep <command> --help" to see the options of one.'
  const state = 'The database has not been touched.'
  if (json) await output.document({ error: { code: 'USAGE_INVALID', message, state, remedy } })
  else await output.aside(`error: ${message}\n\n${help ?? remedy}`)
  return EXIT.usage
}
