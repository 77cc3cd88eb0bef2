import type pg from 'pg'
import type { ChunkSink } from './chunk-sink.ts'
import { readCopies } from './copy-reader.ts'
import { largeObjectFault, measured, type LargeObjectRange } from './large-objects.ts'
import { createSql, metadataSql, type LargeObjectMetadata } from './large-object-sql.ts'

/** Of a large object, carried by one statement. */
const CHUNK_BYTES = 256 * 1024

/** Large objects whose owners, permissions and comments are held in memory at a time. */
const PAGE = 500

interface LargeObject extends LargeObjectMetadata {
  readonly bytes: string
}

const OBJECTS = `
  SELECT m.oid::text AS oid, s.bytes::text AS bytes, pg_catalog.pg_get_userbyid(m.lomowner)::text AS owner,
         pg_catalog.obj_description(m.oid, 'pg_largeobject') AS comment,
         CASE WHEN m.lomacl IS NOT NULL THEN (
           SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                    'grantor', pg_catalog.pg_get_userbyid(a.grantor),
                    'role', CASE a.grantee WHEN 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(a.grantee) END,
                    'privilege', a.privilege_type, 'grantable', a.is_grantable)), '[]')
             FROM pg_catalog.aclexplode(m.lomacl) AS a) END AS grants
    FROM ${measured(
      `SELECT oid, lomowner, lomacl FROM pg_catalog.pg_largeobject_metadata
        WHERE oid >= $1::pg_catalog.oid AND oid <= $2::pg_catalog.oid ORDER BY oid LIMIT $3`,
    )}
   ORDER BY m.oid`

/**
 * Appends a range of large objects as a script with one statement a line: creation, content, comment, owner and permissions.
 * Whoever runs it needs no more memory than one line takes, about 512 KB. A chunk that is all zeros is left out: the
 * hole that stays reads the same.
 *
 * @throws Fault
 */
export async function readLargeObjects(client: pg.Client, range: LargeObjectRange, sink: ChunkSink): Promise<void> {
  let next: string | null = range.first
  try {
    while (next !== null) {
      const page: readonly LargeObject[] = (await client.query<LargeObject>(OBJECTS, [next, range.last, PAGE])).rows
      sink.appendText(page.map(({ oid }) => createSql(oid)).join(''))
      await readCopies(client, [contentSql(page)], sink, { onEnd: () => {} })
      sink.appendText(page.map(metadataSql).join(''))
      const last = page.at(-1)
      next = last === undefined || last.oid === range.last ? null : String(Number(last.oid) + 1)
    }
  } catch (error) {
    throw largeObjectFault('read the large objects', error)
  }
}

/**
 * The content as the script's own lines, made by the server, so that nothing here has to hold a chunk; they contain
 * nothing that COPY would escape. The last chunk is there even when it is all zeros: it gives the object its length.
 */
function contentSql(objects: readonly LargeObject[]): string {
  const oids = objects.map(({ oid }) => oid).join(', ')
  const lengths = objects.map(({ bytes }) => bytes).join(', ')
  return `COPY (
    SELECT pg_catalog.concat('SELECT pg_catalog.lo_put(', o.oid, ', ', p.start, ', pg_catalog.decode(''',
                             pg_catalog.encode(c.bytes, 'hex'), ''', ''hex''));')
      FROM ROWS FROM (pg_catalog.unnest(ARRAY[${oids}]::pg_catalog.oid[]),
                      pg_catalog.unnest(ARRAY[${lengths}]::pg_catalog.int8[])) AS o (oid, bytes)
     CROSS JOIN LATERAL pg_catalog.generate_series(0, o.bytes - 1, ${CHUNK_BYTES}) AS p (start)
     CROSS JOIN LATERAL (SELECT pg_catalog.lo_get(o.oid, p.start, ${CHUNK_BYTES}) AS bytes OFFSET 0) AS c
     WHERE p.start + ${CHUNK_BYTES} >= o.bytes OR pg_catalog.btrim(c.bytes, '\\x00') <> ''
  ) TO STDOUT`
}
