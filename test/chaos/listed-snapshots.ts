import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { perform } from '../../lambda/actions.ts'
import { messageOf } from '../../lambda/errors.ts'
import { MANIFEST_KEY, parseManifest } from '../../lambda/snapshot/manifest.ts'
import { differences } from './fingerprint.ts'
import { dropDatabases } from './empty-database.ts'
import { lockstepOn } from './next-run.ts'
import { isSamePlace, observe, type Observation } from './observe.ts'
import type { Stage } from './round.ts'
import type { Scenario } from './scenario.ts'

/**
 * Complaints about the snapshots that runs took before their first statement. What is listed must be whole, and one must
 * be there once the database has changed; the oldest must bring back what the database held before the first run.
 */
export async function snapshotFaults(
  stage: Stage,
  scenario: Scenario,
  { first, last }: { readonly first: Observation; readonly last: Observation },
): Promise<readonly string[]> {
  if (!scenario.takesSnapshot) return []
  const { snapshots } = await perform(lockstepOn(stage, scenario), { action: 'snapshots' })
  const problems: string[] = []
  for (const { uri } of snapshots) problems.push(...(await damage(uri)))
  const oldest = snapshots.at(-1)
  if (oldest === undefined)
    return isSamePlace(first, last) ? [] : ['the database has changed, but no snapshot is listed']
  return problems.length > 0 ? problems : restoresTo(stage, scenario, oldest.uri, first)
}

async function damage(uri: string): Promise<readonly string[]> {
  const directory = fileURLToPath(uri)
  try {
    const { objects } = parseManifest(await readFile(join(directory, MANIFEST_KEY), 'utf8'))
    for (const { key, sha256 } of objects) {
      const found = createHash('sha256')
        .update(await readFile(join(directory, key)))
        .digest('hex')
      if (found !== sha256) return [`the listed snapshot ${uri} is damaged: ${key}`]
    }
    return []
  } catch (error) {
    return [`the listed snapshot ${uri} is not whole: ${messageOf(error)}`]
  }
}

async function restoresTo(
  stage: Stage,
  scenario: Scenario,
  uri: string,
  expected: Observation,
): Promise<readonly string[]> {
  const { server, database } = stage
  const into = `${database}_copy`
  try {
    await perform(lockstepOn(stage, scenario), { action: 'restore', uri, into })
    const found = await observe(server, into)
    const different = differences(expected.lines, found.lines)
    return different.length === 0
      ? []
      : [`the snapshot is not what was before the run: ${different.slice(0, 4).join('; ')}`]
  } catch (error) {
    return [`the snapshot before the run cannot be restored: ${messageOf(error)}`]
  } finally {
    await dropDatabases(server, `^${into}$`)
  }
}
