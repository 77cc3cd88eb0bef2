import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { Assembly } from '../support/cloudformation/assembly.ts'
import { CUSTOMERS, INDEXED, type Files } from '../support/shop-migrations.ts'
import { synthesize } from './synthesize.ts'

const FAILING: Files = {
  ...INDEXED,
  '20260105000000_add_total.sql': `
-- migrate:up
ALTER TABLE orders ADD COLUMN total numeric NOT NULL DEFAULT 0;
-- migrate:down
ALTER TABLE orders DROP COLUMN total;
`,
  '20260106000000_rename_name.sql': `
-- migrate:up
ALTER TABLE customers ADD COLUMN family_name text;
ALTER TABLE customers RENAME COLUMN nam TO given_name;
-- migrate:down
ALTER TABLE customers RENAME COLUMN given_name TO name;
ALTER TABLE customers DROP COLUMN family_name;
`,
}

const SETS = { old: CUSTOMERS, new: INDEXED, failing: FAILING } as const
export type SetName = keyof typeof SETS

/** Ids of a set's migrations, in order. */
export function idsOf(set: SetName): readonly string[] {
  return Object.keys(SETS[set]).map((file) => file.replace(/\.\w+$/, ''))
}

/** Synthesizes the app with the named sets of migrations, once for all tests of the file. */
export function synthesizedSets(...names: readonly SetName[]): (name: SetName) => Assembly {
  const assemblies = new Map<SetName, Assembly>()
  const clean: (() => Promise<void>)[] = []
  beforeAll(async () => {
    await Promise.all(
      names.map(async (name) => {
        const directory = await writeSet(SETS[name])
        clean.push(() => rm(directory, { recursive: true, force: true }))
        const { assembly, remove } = await synthesize({ migrations: directory })
        clean.push(remove)
        assemblies.set(name, assembly)
      }),
    )
  })
  afterAll(async () => void (await Promise.all(clean.map((remove) => remove()))))
  return (name) => {
    const assembly = assemblies.get(name)
    if (assembly === undefined) throw new Error(`The set "${name}" was not synthesized`)
    return assembly
  }
}

async function writeSet(files: Files): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-set-'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
  return directory
}
