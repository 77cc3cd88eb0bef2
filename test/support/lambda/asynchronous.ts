import type { Invocation } from './invocation.ts'

/**
 * What Lambda waits before it runs a function again that failed, in milliseconds: one minute, then two, then it gives
 * up. docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
const PAUSES_MS = [60_000, 120_000]

/** Runs a function as its asynchronous queue does: again after a function error, twice at most. */
export async function invokeWithRetries(
  invoke: () => Promise<Invocation>,
  sleep: (milliseconds: number) => Promise<unknown>,
): Promise<void> {
  const { functionError } = await invoke()
  let failed = functionError !== undefined
  for (const pause of PAUSES_MS) {
    if (!failed) return
    await sleep(pause)
    failed = (await invoke()).functionError !== undefined
  }
}
