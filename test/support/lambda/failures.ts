import type { FunctionDefinition } from './definition.ts'
import type { Ending } from './ending.ts'

/** Lambda's limit for a synchronous request and its response: 6 MB and a little. */
export const PAYLOAD_LIMIT_BYTES = 6_291_556

/** What Lambda answers for a container that was stopped or that ended by itself. */
export function sandboxFailure(
  ending: Exclude<Ending, { readonly kind: 'message' }>,
  requestId: string,
  definition: FunctionDefinition,
): string {
  const { errorType, message } = describe(ending, definition)
  return JSON.stringify({ errorType, errorMessage: `RequestId: ${requestId} Error: ${message}` })
}

/** What Lambda answers in place of a result over {@link PAYLOAD_LIMIT_BYTES}. */
export function responseTooLarge(): string {
  return JSON.stringify({
    errorType: 'Function.ResponseSizeTooLarge',
    errorMessage: `Response payload size exceeded maximum allowed payload size (${PAYLOAD_LIMIT_BYTES} bytes).`,
  })
}

function describe(
  ending: Exclude<Ending, { readonly kind: 'message' }>,
  definition: FunctionDefinition,
): { readonly errorType: string; readonly message: string } {
  if (ending.kind === 'timeout') {
    const message = `Task timed out after ${definition.timeoutSeconds.toFixed(2)} seconds`
    return { errorType: 'Sandbox.Timedout', message }
  }
  if (ending.kind === 'memory') {
    return { errorType: 'Runtime.OutOfMemory', message: 'Runtime exited with error: signal: killed' }
  }
  return { errorType: 'Runtime.ExitError', message: exitMessage(ending.code, ending.signal) }
}

const SIGNAL_WORDS: Readonly<Record<string, string>> = { SIGKILL: 'killed', SIGABRT: 'aborted', SIGTERM: 'terminated' }

function exitMessage(code: number | null, signal: string | null): string {
  if (signal !== null) return `Runtime exited with error: signal: ${SIGNAL_WORDS[signal] ?? signal}`
  return code === 0 ? 'Runtime exited without providing a reason' : `Runtime exited with error: exit status ${code}`
}
