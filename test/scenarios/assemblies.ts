import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PROJECT_APP, synthesize, type Context, type Synthesized } from '../e2e/synthesize.ts'
import type { Assembly } from '../support/cloudformation/assembly.ts'
import { filesOf, type MigrationSet } from './sets.ts'

/** What is synthesized. */
export interface AppInput {
  /** A file that makes an app. @default the project's own */
  readonly app?: URL
  /** Sets of migrations; the app finds the directory of each in its context, under this key. */
  readonly sets: Readonly<Record<string, MigrationSet>>
  /** More of the app's context, as `cdk deploy -c` gives it. */
  readonly context?: Context
}

/** Apps, each synthesized when it is first asked for. */
export interface Assemblies {
  readonly get: (input: AppInput) => Promise<Assembly>
  readonly remove: () => Promise<void>
}

export function createAssemblies(): Assemblies {
  const made = new Map<string, Promise<Synthesized>>()
  return {
    get: async (input) => {
      const key = JSON.stringify(input)
      const synthesized = made.get(key) ?? synthesizeSets(input)
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

async function synthesizeSets({ app = PROJECT_APP, sets, context = {} }: AppInput): Promise<Synthesized> {
  const directories = new Map<string, string>()
  for (const [key, set] of Object.entries(sets)) directories.set(key, await writeSet(set))
  try {
    return await synthesize({ ...Object.fromEntries(directories), ...context }, app)
  } finally {
    for (const directory of directories.values()) await rm(directory, { recursive: true, force: true })
  }
}

/** Writes the files of a set into a new directory. */
export async function writeSet(set: MigrationSet): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-set-'))
  for (const [name, text] of Object.entries(filesOf(set))) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), text)
  }
  return directory
}
