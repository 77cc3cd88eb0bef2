import { VERSION } from '../../lambda/version.ts'
import { EXIT, type Outcome } from '../exit.ts'
import type { LocalSurroundings } from '../local-command.ts'
import { renderGithub, renderSarif } from '../render/findings.ts'
import { styleFor } from '../render/style.ts'
import { findingOf, renderValidation } from '../render/validation.ts'
import type { Settings } from '../settings.ts'
import { appliedOn } from '../validate/applied-on.ts'
import type { ValidationProblem } from '../validate/problem.ts'
import { validate } from '../validate/validate.ts'
import type { ValidateRequest } from './validate.ts'

/** The document of `validate --json`. */
export interface ValidateResult {
  /** Whether nothing but warnings was found. */
  readonly ok: boolean
  readonly migrations: number
  /** How many the throw-away server has applied. Null: none was tried. */
  readonly replayed: number | null
  readonly problems: readonly ValidationProblem[]
  /** How many failed on the throw-away server only because an earlier one had. */
  readonly consequences: number
}

/**
 * `validate`. With a database URL the files are compared with its history as well.
 *
 * @throws LockstepError `CONFIG_INVALID`, `DATABASE_UNREACHABLE`.
 */
export async function validateCommand(
  request: ValidateRequest,
  settings: Settings,
  { signal }: LocalSurroundings,
): Promise<Outcome> {
  const { databaseUrl, historySchema, migrations: directory } = settings
  const { problems, migrations, replayed, consequences } = await validate({
    directory,
    replay: request.replay,
    historySchema,
    signal,
    major: request.major ?? undefined,
    shadowUrl: request.shadowUrl,
    ...(databaseUrl === null ? {} : { history: () => appliedOn(databaseUrl, settings, signal) }),
  })
  const ok = problems.every(({ severity }) => severity === 'warning')
  const result: ValidateResult = { ok, migrations: migrations.length, replayed, problems, consequences }
  return { document: result, text: textOf(request, result, directory), exitCode: ok ? EXIT.done : EXIT.failed }
}

function textOf({ format }: ValidateRequest, result: ValidateResult, directory: string): string {
  const findings = result.problems.map((problem) => findingOf(problem, directory))
  switch (format) {
    case 'text':
      return renderValidation(result, findings, styleFor(process.stdout))
    case 'github':
      return renderGithub(findings)
    case 'sarif':
      return renderSarif(findings, { version: VERSION, titleOf: () => null })
    default:
      return format satisfies never
  }
}
