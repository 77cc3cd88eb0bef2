import type { DriftRequest } from './commands/drift.ts'
import type { LintRequest } from './commands/lint.ts'
import type { ProveRequest } from './commands/prove.ts'
import { driftCommand } from './commands/run-drift.ts'
import type { RehearseRequest } from './commands/rehearse.ts'
import { lintCommand } from './commands/run-lint.ts'
import { proveCommand } from './commands/run-prove.ts'
import { rehearseCommand } from './commands/run-rehearse.ts'
import { validateCommand } from './commands/run-validate.ts'
import type { ValidateRequest } from './commands/validate.ts'
import type { Log } from '../lambda/log.ts'
import type { Outcome } from './exit.ts'
import type { Settings } from './settings.ts'

/** What needs the working tree or a shadow server, and so is no action of the function. */
export type LocalRequest = DriftRequest | LintRequest | ProveRequest | RehearseRequest | ValidateRequest

export interface LocalCommand {
  readonly request: LocalRequest
  readonly settings: Settings
}

/** What a local command may use of its surroundings. */
export interface LocalSurroundings {
  readonly signal: AbortSignal
  /** For what lasts. */
  readonly log: Log
}

/** Does what a local command asks. @throws LockstepError */
export async function runLocal({ request, settings }: LocalCommand, surroundings: LocalSurroundings): Promise<Outcome> {
  switch (request.command) {
    case 'drift':
      return driftCommand(request, settings, surroundings)
    case 'lint':
      return lintCommand(request, settings, surroundings)
    case 'prove':
      return proveCommand(request, settings, surroundings)
    case 'rehearse':
      return rehearseCommand(request, settings, surroundings)
    case 'validate':
      return validateCommand(request, settings, surroundings)
    default:
      return request satisfies never
  }
}
