import { createHash } from 'node:crypto'
import { dumpSchema } from '../../lambda/snapshot/pg-dump.ts'
import { withSessions, type SessionSource } from '../../lambda/snapshot/session.ts'

/** What pg_dump says of a whole database: all schemas, Lockstep's own tables included. */
export interface SchemaDump {
  readonly sql: string
  readonly sha256: string
  readonly bytes: number
}

/** Dumps the schema with real pg_dump; `source` opens sessions on the database. */
export async function readSchema(source: SessionSource): Promise<SchemaDump> {
  return withSessions(source, async (open) => {
    const holder = await open()
    await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const exported = await holder.query<{ id: string }>('SELECT pg_catalog.pg_export_snapshot() AS id')
    const snapshotId = exported.rows[0]?.id ?? ''
    // Each dump takes its session over.
    const tables = await dumpSchema(await open(), 'pre-data', snapshotId)
    const constraints = await dumpSchema(await open(), 'post-data', snapshotId)
    return digestOf(tables + constraints)
  })
}

function digestOf(dump: string): SchemaDump {
  // pg_dump writes a random key into each dump, so that nothing in it can break out of psql's restricted mode.
  const sql = dump.replaceAll(/^\\(un)?restrict .*\n/gm, '')
  return { sql, sha256: createHash('sha256').update(sql).digest('hex'), bytes: Buffer.byteLength(sql) }
}
