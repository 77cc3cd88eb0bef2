import { enableCompileCache } from 'node:module'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { END } from './command.ts'

/** A process that does one job after another, and is warm when the next comes, as a Lambda function is. */
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/lockstep', import.meta.url)))
// Every command listens for signals until its process ends.
process.setMaxListeners(0)

// Imported only now, because what is imported before is not cached.
const { performJob, warmUp } = await import('./job.ts')
await warmUp()
process.stdout.write(END)
for await (const line of createInterface(process.stdin)) {
  await performJob(JSON.parse(line))
  process.stdout.write(END)
}
