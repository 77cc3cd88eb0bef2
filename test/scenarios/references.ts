import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import { createScratchDatabase } from '../support/scratch-database.ts'
import { writeSet } from './assemblies.ts'
import { pictureOf, type Picture } from './picture.ts'
import { filesOf, idsOf, type SetName } from './sets.ts'

/** What a database looks like after a set of migrations: made with a plain driver, without Lockstep. */
export type References = (set: SetName) => Promise<Picture>

export function createReferences(serverUrl: string): References {
  const known = new Map<SetName, Promise<Picture>>()
  return (set) => {
    const found = known.get(set) ?? referenceOf(serverUrl, set)
    known.set(set, found)
    return found
  }
}

async function referenceOf(serverUrl: string, set: SetName): Promise<Picture> {
  const cleanups: (() => Promise<void>)[] = []
  try {
    const { url } = await createScratchDatabase(serverUrl, (cleanup) => cleanups.push(cleanup))
    await applyPlainly(url, set)
    const { contents } = await pictureOf(url, new URL(serverUrl).username)
    return { contents, history: idsOf(set).toSorted() }
  } finally {
    for (const cleanup of cleanups) await cleanup()
  }
}

/** The ups one after the other, each statement by itself, as `psql --file` does it. */
async function applyPlainly(url: string, set: SetName): Promise<void> {
  const directory = await writeSet(set)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const [file, text] of Object.entries(filesOf(set))) {
      if (file.endsWith('.ts')) await applyCode(client, join(directory, file))
      else for (const statement of statementsOf(text)) await client.query(awake(statement))
    }
  } finally {
    await client.end()
    await rm(directory, { recursive: true, force: true })
  }
}

function awake(statement: string): string {
  return statement.replaceAll(/pg_sleep\([\d.]+\)/g, 'pg_sleep(0)')
}

async function applyCode(client: pg.Client, file: string): Promise<void> {
  const { up } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
    readonly up: (context: { readonly query: (sql: string) => Promise<unknown> }) => Promise<void>
  }
  await up({ query: (sql) => client.query(sql) })
}

/** Statements of the sets end with a semicolon at the end of a line. */
function statementsOf(text: string): readonly string[] {
  const [, up = ''] = text.split(/^-- migrate:(?:up.*|down.*)$/m)
  return up.split(/;$/m).filter((statement) => statement.trim() !== '')
}
