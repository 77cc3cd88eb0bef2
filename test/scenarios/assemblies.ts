import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { synthesize, type Context, type Synthesized } from '../e2e/synthesize.ts'
import type { Assembly } from '../support/cloudformation/assembly.ts'
import { filesOf, type SetName } from './sets.ts'

/** The project's app, synthesized with each set of migrations when it is first asked for. */
export interface Assemblies {
  readonly get: (set: SetName, context?: Context) => Promise<Assembly>
  readonly remove: () => Promise<void>
}

export function createAssemblies(): Assemblies {
  const made = new Map<string, Promise<Synthesized>>()
  return {
    get: async (set, context = {}) => {
      const key = JSON.stringify([set, context])
      const synthesized = made.get(key) ?? synthesizeSet(set, context)
      made.set(key, synthesized)
      return (await synthesized).assembly
    },
    remove: async () => {
      for (const one of await Promise.allSettled(made.values())) {
        if (one.status === 'fulfilled') await one.value.remove()
      }
    },
  }
}

async function synthesizeSet(set: SetName, context: Context): Promise<Synthesized> {
  const directory = await writeSet(set)
  try {
    return await synthesize(directory, context)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Writes the files of a set into a new directory. */
export async function writeSet(set: SetName): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-set-'))
  for (const [name, text] of Object.entries(filesOf(set))) await writeFile(join(directory, name), text)
  return directory
}
