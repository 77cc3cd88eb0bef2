import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compose } from '../../lambda/compose.ts'
import { LockstepError, messageOf } from '../../lambda/errors.ts'
import { checkDatabaseUrl } from '../database-url.ts'
import { EXIT, type Outcome } from '../exit.ts'
import type { LocalSurroundings } from '../local-command.ts'
import { LATEST } from '../rehearse/snapshot-material.ts'
import type { Rehearsal } from '../rehearse/rehearsal.ts'
import { rehearse } from '../rehearse/rehearse.ts'
import { renderRehearsal } from '../render/rehearsal.ts'
import { renderRehearsalMarkdown } from '../render/rehearsal-markdown.ts'
import { styleFor } from '../render/style.ts'
import { explainTrial } from '../shadow/shadow.ts'
import { configOf, LOCAL_DIRECTORY, type Settings } from '../settings.ts'
import type { RehearseRequest } from './rehearse.ts'
import { selectionOf } from './selection.ts'

/** `rehearse`. @throws what {@link rehearse} throws. */
export async function rehearseCommand(
  request: RehearseRequest,
  settings: Settings,
  surroundings: LocalSurroundings,
): Promise<Outcome> {
  const { snapshot } = request
  const work = snapshot === null ? onStructure : onSnapshot
  const rehearsal = await work(request, settings, surroundings).catch((error: unknown) => {
    throw explained(error, surroundings.signal)
  })
  const view = { directory: settings.migrations }
  const text =
    request.format === 'markdown'
      ? renderRehearsalMarkdown(rehearsal)
      : renderRehearsal(rehearsal, styleFor(process.stdout), view)
  return { document: rehearsal, text, exitCode: rehearsal.ok ? EXIT.done : EXIT.failed }
}

/** What was tried, was tried on a copy. */
function explained(error: unknown, signal: AbortSignal): unknown {
  if (!signal.aborted) return explainTrial(error)
  return new LockstepError({
    code: 'INTERRUPTED',
    message: messageOf(signal.reason),
    state: 'The database has not been touched, and the copy of it was removed.',
    remedy: 'Run it again.',
    cause: error,
  })
}

type Rehearse = (request: RehearseRequest, settings: Settings, surroundings: LocalSurroundings) => Promise<Rehearsal>

/** Needs the store alone. A URL says whose snapshot is meant, and is not connected to. */
const onSnapshot: Rehearse = async (request, settings, { signal, log }) => {
  const { snapshot } = request
  const { databaseUrl } = settings
  if (databaseUrl !== null) checkDatabaseUrl(databaseUrl)
  const selected = selectionOf(
    snapshot === null || snapshot === LATEST ? { action: 'snapshots' } : { action: 'verify', uri: snapshot },
  )
  const config = configOf({ ...selected, settings, takeSnapshot: false }, databaseUrl ?? '')
  const lockstep = compose(config, log, { signal })
  const snapshotOf = databaseUrl === null ? null : await lockstep.databaseName()
  return rehearse(lockstep, { ...optionsOf(request, settings, signal), snapshot, snapshotOf })
}

const onStructure: Rehearse = async (request, settings, { signal, log }) => {
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
