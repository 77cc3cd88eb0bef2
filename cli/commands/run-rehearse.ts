import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compose } from '../../lambda/compose.ts'
import { checkDatabaseUrl } from '../database-url.ts'
import { EXIT, type Outcome } from '../exit.ts'
import type { LocalSurroundings } from '../local-command.ts'
import { LATEST } from '../rehearse/snapshot-material.ts'
import { rehearse } from '../rehearse/rehearse.ts'
import { renderRehearsal } from '../render/rehearsal.ts'
import { renderRehearsalMarkdown } from '../render/rehearsal-markdown.ts'
import { styleFor } from '../render/style.ts'
import { configOf, LOCAL_DIRECTORY, type Settings } from '../settings.ts'
import type { RehearseRequest } from './rehearse.ts'
import { selectionOf } from './selection.ts'

/** `rehearse`. @throws what {@link rehearse} throws. */
export async function rehearseCommand(
  request: RehearseRequest,
  settings: Settings,
  surroundings: LocalSurroundings,
): Promise<Outcome> {
  const rehearsal = await (request.snapshot === null
    ? onStructure(request, settings, surroundings)
    : onSnapshot(request, request.snapshot, settings, surroundings))
  const view = { directory: settings.migrations }
  const text =
    request.format === 'markdown'
      ? renderRehearsalMarkdown(rehearsal)
      : renderRehearsal(rehearsal, styleFor(process.stdout), view)
  return { document: rehearsal, text, exitCode: rehearsal.ok ? EXIT.done : EXIT.failed }
}

/** Needs the store alone. A URL says whose snapshot is meant, and is not connected to. */
async function onSnapshot(
  request: RehearseRequest,
  snapshot: string,
  settings: Settings,
  { signal, log }: LocalSurroundings,
) {
  const { databaseUrl } = settings
  if (databaseUrl !== null) checkDatabaseUrl(databaseUrl)
  const selected = selectionOf(snapshot === LATEST ? { action: 'snapshots' } : { action: 'verify', uri: snapshot })
  const config = configOf({ ...selected, settings, takeSnapshot: false }, databaseUrl ?? '')
  const lockstep = compose(config, log, { signal })
  const snapshotOf = databaseUrl === null ? null : await lockstep.databaseName()
  return rehearse(lockstep, { ...optionsOf(request, settings, signal), snapshot, snapshotOf })
}

async function onStructure(request: RehearseRequest, settings: Settings, { signal, log }: LocalSurroundings) {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-rehearsal-'))
  const removeOnExit = (): void => rmSync(directory, { recursive: true, force: true })
  process.once('exit', removeOnExit)
  try {
    return await withUrl(settings, (url) => {
      const selected = { ...selectionOf({ action: 'snapshot' }), takeSnapshot: false }
      const config = { ...configOf({ ...selected, settings }, url), snapshots: { location: directory, kmsKeyId: null } }
      return rehearse(compose(config, log, { signal }), {
        ...optionsOf(request, settings, signal),
        snapshot: null,
        snapshotOf: null,
      })
    })
  } finally {
    process.off('exit', removeOnExit)
    await rm(directory, { recursive: true, force: true })
  }
}

function optionsOf({ major, shadowUrl, keep }: RehearseRequest, { snapshots }: Settings, signal: AbortSignal) {
  return { major, shadowUrl, keep, signal, takesSnapshot: snapshots !== null }
}

async function withUrl<T>({ databaseUrl }: Settings, work: (url: string) => Promise<T>): Promise<T> {
  if (databaseUrl !== null) {
    checkDatabaseUrl(databaseUrl)
    return work(databaseUrl)
  }
  const { openEmbeddedDatabase } = await import('../embedded-database.ts')
  const server = await openEmbeddedDatabase(LOCAL_DIRECTORY)
  try {
    return await work(server.url)
  } finally {
    await server.stop()
  }
}
