import { perform } from '../../lambda/actions.ts'
import { runCommandLine } from '../../cli/command-line.ts'
import { loadParser } from '../../lambda/engine/migration/statements.ts'
import { reportOf } from '../../lambda/errors.ts'
import { compose } from '../../lambda/compose.ts'
import { silentLog } from '../../lambda/log.ts'
import type { Job } from './command.ts'

/** The delivery of a request, as the function would get it, or a command line. Its JSON document goes to stdout. */
export async function performJob(job: Job): Promise<void> {
  if (job.kind === 'command') {
    await runCommandLine([...job.args, '--json'])
    return
  }
  let asked = 0
  const shouldPause = (): boolean => {
    asked += 1
    return job.pauseAfter !== null && asked > job.pauseAfter
  }
  const lockstep = compose(job.config, silentLog, { shouldPause })
  const answer = await perform(lockstep, job.request).catch((error: unknown) => ({ error: reportOf(error) }))
  process.stdout.write(JSON.stringify(answer))
}

/** Loads what the first job would otherwise wait for. */
export async function warmUp(): Promise<void> {
  await Promise.all([loadParser(), import('../../cli/execute.ts')])
}
