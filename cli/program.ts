import { Command as Commander, CommanderError } from 'commander'
import { addDownCommand, addPlanCommand, addUpCommand } from './commands/migrate.ts'
import { addDriftCommand } from './commands/drift.ts'
import { addLintCommand } from './commands/lint.ts'
import { addProveCommand } from './commands/prove.ts'
import { addRehearseCommand } from './commands/rehearse.ts'
import { addValidateCommand } from './commands/validate.ts'
import { addInspectionCommands } from './commands/inspect.ts'
import { addSnapshotCommands } from './commands/snapshot.ts'
import type { Selection } from './commands/selection.ts'
import { addSettings, settingsOf } from './options.ts'
import type { LocalCommand, LocalRequest } from './local-command.ts'
import type { Command } from './settings.ts'

/** What a command line means. */
export type Invocation =
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'local'; readonly command: LocalCommand }
  /** Help or the version. */
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'usage'
      readonly message: string
      /** For somebody who gave no command at all. */
      readonly help?: string
    }

const EPILOGUE = `
Without a database URL, commands work on an embedded PostgreSQL, kept under .lockstep/ of the working directory;
its snapshots go to .lockstep/snapshots. With a URL, up and down take a snapshot first when --snapshots is given.

Exit codes: 0 done, 1 failed, 2 usage, 3 pending migrations (status --exit-code).`

const NO_COMMAND = 'no command is given.'

/** Understands the arguments behind the program's name. */
export function parseCommandLine(args: readonly string[], version: string): Invocation {
  let output = ''
  let selected: Selection | null = null
  let local: LocalRequest | null = null
  const select = (selection: Selection): void => void (selected = selection)
  const selectLocal = (request: LocalRequest): void => void (local = request)
  const collect = (text: string): void => void (output += text)
  const program = new Commander('lockstep')
    .description('Migrates a PostgreSQL database: forward, and back.')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', EPILOGUE)
    .configureOutput({ writeOut: collect, writeErr: collect })
    .exitOverride()
  addSettings(program)
  addInspectionCommands(program, select)
  addPlanCommand(program, select)
  addUpCommand(program, select)
  addDownCommand(program, select)
  addSnapshotCommands(program, select)
  addValidateCommand(program, selectLocal)
  addLintCommand(program, selectLocal)
  addProveCommand(program, selectLocal)
  addDriftCommand(program, select, selectLocal)
  addRehearseCommand(program, selectLocal)
  const failure = parse(program, args)
  if (failure !== null) return invocationOf(failure, output)
  const request = local as LocalRequest | null
  if (request !== null) return { kind: 'local', command: { request, settings: settingsOf(program) } }
  const selection = selected as Selection | null
  if (selection === null) return { kind: 'usage', message: NO_COMMAND }
  return { kind: 'command', command: { ...selection, settings: settingsOf(program) } }
}

function parse(program: Commander, args: readonly string[]): CommanderError | null {
  try {
    program.parse(args, { from: 'user' })
    return null
  } catch (error) {
    if (error instanceof CommanderError) return error
    throw error
  }
}

function invocationOf(failure: CommanderError, output: string): Invocation {
  if (failure.exitCode === 0) return { kind: 'text', text: output }
  if (failure.code === 'commander.help') return { kind: 'usage', message: NO_COMMAND, help: output }
  return { kind: 'usage', message: failure.message.replace(/^error: /, '').replaceAll('\n', ' ') }
}
