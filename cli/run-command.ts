import { LockstepError, messageOf, reportOf, UNTOUCHED } from '../lambda/errors.ts'
import type { Log } from '../lambda/log.ts'
import { checkDatabaseUrl } from './database-url.ts'
import type { EmbeddedPostgres } from './embedded-postgres.ts'
import { EXIT, type Outcome } from './exit.ts'
import type { LocalCommand } from './local-command.ts'
import { Interrupted, listenForInterruption, type Interruption } from './interruption.ts'
import type { Output } from './output.ts'
import { renderError } from './render/error.ts'
import { progressLog } from './render/progress.ts'
import { styleFor } from './render/style.ts'
import { configOf, LOCAL_DIRECTORY, type Command, type Settings } from './settings.ts'

/** Runs a command to its end, on the database that was named or on the embedded one, and gives the exit code. */
export async function runCommand(command: Command, output: Output): Promise<number> {
  const interruption = listenForInterruption()
  const { databaseUrl } = command.settings
  let opening: Promise<EmbeddedPostgres> | null = null
  let exitCode: number = EXIT.failed
  try {
    if (databaseUrl !== null) checkDatabaseUrl(databaseUrl)
    else if (needsDatabase(command)) opening = openEmbedded()
    const outcome = await Promise.race([work(), interruption.overdue])
    await tellOutcome(command, outcome, output)
    exitCode = outcome.exitCode
  } catch (error) {
    await tellFailure(command, error, output)
  } finally {
    const server = await opening?.catch(() => null)
    await server?.stop({ abort: interruption.exitCode() !== null })
  }
  return exitCode === EXIT.done ? exitCode : (interruption.exitCode() ?? exitCode)

  async function work(): Promise<Outcome> {
    return perform(command, { url: (await opening)?.url ?? databaseUrl ?? '', interruption, output })
  }
}

/** A snapshot can be verified where there is none. */
function needsDatabase({ request }: Command): boolean {
  return request.action !== 'verify'
}

/** Runs a command that works on the files to its end, and gives the exit code. */
export async function runLocalCommand(command: LocalCommand, output: Output): Promise<number> {
  const interruption = listenForInterruption()
  const { settings } = command
  let exitCode: number = EXIT.failed
  try {
    const { runLocal } = await import('./local-command.ts')
    const surroundings = { signal: interruption.signal, log: progressOn(output) }
    const outcome = await Promise.race([runLocal(command, surroundings), interruption.overdue])
    // What was found while everything was being stopped says nothing.
    interruption.signal.throwIfAborted()
    await (settings.json ? output.document(outcome.document) : output.text(outcome.text))
    exitCode = outcome.exitCode
  } catch (error) {
    await tellError(settings, reasonOf(error, interruption.signal), output, {})
  }
  return exitCode === EXIT.done ? exitCode : (interruption.exitCode() ?? exitCode)
}

/** Of many errors that come of an interruption, that one. What works on the files tries migrations elsewhere. */
function reasonOf(error: unknown, signal: AbortSignal): unknown {
  const isToldAlready = error instanceof LockstepError && error.report.code === 'INTERRUPTED'
  if (!signal.aborted || isToldAlready) return error
  const message = messageOf(signal.reason)
  return new LockstepError({ code: 'INTERRUPTED', message, state: UNTOUCHED, remedy: 'Run it again.', cause: error })
}

async function openEmbedded(): Promise<EmbeddedPostgres> {
  const { openEmbeddedDatabase } = await import('./embedded-database.ts')
  return openEmbeddedDatabase(LOCAL_DIRECTORY)
}

interface Surroundings {
  readonly url: string
  readonly interruption: Interruption
  readonly output: Output
}

async function perform(command: Command, { url, interruption, output }: Surroundings): Promise<Outcome> {
  const { settings } = command
  const log = progressOn(output)
  if (settings.verbose) {
    log.info('using', {
      database: url === '' ? 'none' : withoutPassword(url),
      migrations: settings.migrations,
      set: settings.set,
    })
  }
  // Loaded only now, because help and usage errors need no driver and no SDK.
  const { compose } = await import('../lambda/compose.ts')
  const { execute } = await import('./execute.ts')
  const lockstep = compose(configOf(command, url), log, { signal: interruption.signal })
  return execute(lockstep, command, {
    style: styleFor(process.stdout),
    directory: settings.migrations,
    timings: !(process.stdout.isTTY && process.stderr.isTTY),
  })
}

function progressOn(output: Output): Log {
  return progressLog({
    write: (line) => void output.aside(line),
    style: styleFor(process.stderr),
    now: () => performance.now(),
  })
}

function withoutPassword(url: string): string {
  const { host, pathname, username } = new URL(url)
  return `${username}@${host}${pathname}`
}

async function tellOutcome({ settings, request }: Command, outcome: Outcome, output: Output): Promise<void> {
  const isFailedRun = (request.action === 'up' || request.action === 'down') && outcome.exitCode !== EXIT.done
  if (settings.json) await output.document(outcome.document)
  else if (isFailedRun) await output.aside(outcome.text)
  else await output.text(outcome.text)
}

async function tellFailure({ request, settings }: Command, error: unknown, output: Output): Promise<void> {
  const isRun = request.action === 'up' || request.action === 'down'
  // A run that did not come to begin has the shape of one that failed.
  await tellError(settings, error, output, isRun ? { status: 'failed', applied: [], reverted: [], runId: null } : {})
}

async function tellError(settings: Settings, error: unknown, output: Output, shape: object): Promise<void> {
  const report = error instanceof Interrupted ? error.report : reportOf(error)
  if (settings.verbose) await output.aside(traceOf(error))
  if (!settings.json) {
    await output.aside(renderError(report, styleFor(process.stderr), { directory: settings.migrations }))
    return
  }
  await output.document({ ...shape, error: report })
}

function traceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = error.stack ?? error.message
  return error.cause === undefined ? own : `${own}\nCaused by: ${traceOf(error.cause)}`
}
