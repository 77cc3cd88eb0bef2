#!/usr/bin/env node
import { fileURLToPath } from 'node:url'
import { unsupportedNode } from './node-version.ts'

const problem = unsupportedNode(process.versions.node)
if (problem !== null) {
  console.error(problem)
  process.exit(1)
}

// Imported only now, here and everywhere behind it: Node that is too old would fail on a name that it lacks.
const { enableCompileCache } = await import('node:module')
// Halves the start of every command but the first. Beside the dependencies, where nobody else can write.
enableCompileCache(fileURLToPath(new URL('../.cache/lockstep', import.meta.resolve('commander'))))

const { runCommandLine } = await import('./command-line.ts')
// Ends at once, whatever a driver or an SDK keeps open.
process.exit(await runCommandLine(process.argv.slice(2)))
