/**
 * Runs apps again and again in one process: loading the CDK takes twenty times as long as an app. As the CDK command line
 * does it, context and output are in the environment.
 */
export interface SynthesisRequest {
  readonly id: number
  /** The module whose main makes the app. */
  readonly app: string
  readonly output: string
  readonly context: string
}

export interface SynthesisReply {
  readonly id: number
  /** Null when it succeeded. */
  readonly error: string | null
}

async function synthesize({ id, app, output, context }: SynthesisRequest): Promise<void> {
  process.env['CDK_OUTDIR'] = output
  process.env['CDK_CONTEXT_JSON'] = context
  process.exitCode = 0
  let error: string | null = null
  try {
    // Another query is another module, whose main runs anew.
    await import(`${app}?${id}`)
    if (process.exitCode !== 0) error = 'The app refused its context: see the output above.'
  } catch (thrown) {
    error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  }
  process.send?.({ id, error } satisfies SynthesisReply)
}

let last = Promise.resolve()
process.on('disconnect', () => process.exit())
process.on('message', (request: SynthesisRequest) => void (last = last.then(() => synthesize(request))))
