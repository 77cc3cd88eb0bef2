import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// Halves the start of every command but the first. Beside the dependencies, where nobody else can write.
enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'lockstep'))

const { runCommandLine } = await import('./command-line.ts')
// Ends at once, whatever a driver or an SDK keeps open.
process.exit(await runCommandLine(process.argv.slice(2)))
