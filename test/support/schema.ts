import pg from 'pg'
import { dumpSchema } from '../../lambda/snapshot/pg-dump.ts'
import { withSessions } from '../../lambda/snapshot/session.ts'
import type { TestDatabase } from './scratch-database.ts'

/** The whole schema of a database, Lockstep's own tables included, as pg_dump writes it. */
export async function schemaOf({ url }: Pick<TestDatabase, 'url'>): Promise<string> {
  const openClient = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    await client.connect()
    return client
  }
  const sections = await withSessions({ openClient }, async (open) => {
    const holder = await open()
    await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const { rows } = await holder.query<{ id: string }>('SELECT pg_export_snapshot() AS id')
    const id = rows[0]?.id ?? ''
    return [await dumpSchema(await open(), 'pre-data', id), await dumpSchema(await open(), 'post-data', id)]
  })
  // A random key in every dump.
  return sections.join('').replaceAll(/^\\(un)?restrict .*\n/gm, '')
}
