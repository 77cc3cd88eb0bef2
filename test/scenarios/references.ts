import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import { createScratchDatabase } from '../support/scratch-database.ts'
import { writeSet } from './assemblies.ts'
import { pictureOf, type Picture } from './picture.ts'
import { filesOf, type MigrationSet } from './sets.ts'

/** What a database looks like after a set of migrations: made with a plain driver, without Lockstep. */
export type References = (set: MigrationSet) => Promise<Picture>

export function createReferences(serverUrl: string): References {
  const known = new Map<string, Promise<Picture>>()
  return (set) => {
    const key = JSON.stringify(filesOf(set))
    const found = known.get(key) ?? referenceOf(serverUrl, set)
    known.set(key, found)
    return found
  }
}

async function referenceOf(serverUrl: string, set: MigrationSet): Promise<Picture> {
  const cleanups: (() => Promise<void>)[] = []
  try {
    const { url } = await createScratchDatabase(serverUrl, (cleanup) => cleanups.push(cleanup))
    await applyPlainly(url, set)
    const { contents } = await pictureOf(url, new URL(serverUrl).username)
    return { contents, history: Object.keys(filesOf(set)).map(idOf).toSorted() }
  } finally {
    for (const cleanup of cleanups) await cleanup()
  }
}

/** In the history; every text of a repeatable is numbered. */
function idOf(file: string): string {
  const id = file.replace(/\.\w+$/, '')
  return file.startsWith('repeatable/') ? `${id}#1` : id
}

/** The ups one after the other. */
async function applyPlainly(url: string, set: MigrationSet): Promise<void> {
  const directory = await writeSet(set)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const [file, text] of Object.entries(filesOf(set))) {
      if (file.endsWith('.ts')) await applyCode(client, join(directory, file))
      else for (const part of partsOf(text)) await client.query(awake(part))
    }
  } finally {
    await client.end()
    await rm(directory, { recursive: true, force: true })
  }
}

function awake(sql: string): string {
  return sql.replaceAll(/pg_sleep\([\d.]+\)/g, 'pg_sleep(0)')
}

async function applyCode(client: pg.Client, file: string): Promise<void> {
  const { up } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
    readonly up: (context: { readonly query: (sql: string) => Promise<unknown> }) => Promise<void>
  }
  await up({ query: (sql) => client.query(sql) })
}

/** The up as a whole; outside of a transaction by statements, each of which ends with a semicolon at the end of a line. */
function partsOf(text: string): readonly string[] {
  const [beginning = '', ...sections] = text.split(/^-- migrate:(\w+).*$/m)
  const at = sections.indexOf('up')
  // A repeatable may be all up, without saying so.
  const up = at === -1 ? beginning : (sections[at + 1] ?? '')
  const parts = /^-- migrate:up .*transaction:false/m.test(text) ? up.split(/;$/m) : [up]
  return parts.filter((part) => part.trim() !== '')
}
