import type pg from 'pg'
import { messageOf } from '../errors.ts'
import { remedyFor, sqlStateOf } from './failure.ts'
import { Fault } from './fault.ts'

/** Large objects with neighbouring oids, which share an object of the store. */
export interface LargeObjectRange {
  readonly first: string
  readonly last: string
  readonly count: number
  /** Their length, holes included. */
  readonly bytes: number
}

/** Large objects that are listed in one round trip. */
const PAGE = 10_000

/** A range ends with the large object that takes it over one of these. */
const RANGE_BYTES = 256 * 1024 * 1024
const RANGE_COUNT = 100_000

/**
 * Large objects `m` with their lengths `s.bytes`. Only the functions for clients: who is no superuser may not read
 * pg_largeobject. Each step needs the one before it, so that few are open at a time.
 *
 * @param page A query for pg_largeobject_metadata.
 */
export function measured(page: string): string {
  return `(${page}) AS m
    CROSS JOIN LATERAL (SELECT pg_catalog.lo_open(m.oid, 262144) AS fd OFFSET 0) AS f
    CROSS JOIN LATERAL (SELECT pg_catalog.lo_lseek64(f.fd, 0, 2) AS bytes OFFSET 0) AS s
    CROSS JOIN LATERAL (SELECT CASE WHEN s.bytes >= 0 THEN pg_catalog.lo_close(f.fd) END AS closed OFFSET 0) AS c
   WHERE c.closed = 0`
}

const LENGTHS = `
  SELECT m.oid::text AS oid, s.bytes::text AS bytes
    FROM ${measured(
      'SELECT oid FROM pg_catalog.pg_largeobject_metadata WHERE oid > $1::pg_catalog.oid ORDER BY oid LIMIT $2',
    )}
   ORDER BY m.oid`

/** All of them, as they are to be copied. */
export interface LargeObjects {
  readonly ranges: readonly LargeObjectRange[]
  /** That own one, or may do something with one. */
  readonly roles: readonly string[]
}

export const NO_LARGE_OBJECTS: LargeObjects = { ranges: [], roles: [] }

const ROLES = `
  SELECT DISTINCT pg_catalog.pg_get_userbyid(r.role)::text AS role
    FROM pg_catalog.pg_largeobject_metadata m
   CROSS JOIN LATERAL (
           SELECT m.lomowner UNION ALL
           SELECT pg_catalog.unnest(ARRAY[a.grantor, a.grantee]) FROM pg_catalog.aclexplode(m.lomacl) a) AS r (role)
   WHERE r.role <> 0 ORDER BY 1`

/**
 * Measures every large object in the transaction's view, and groups them. Also finds out whether all may be read.
 *
 * @throws Fault naming the one that may not be read.
 */
export async function listLargeObjects(client: pg.Client): Promise<LargeObjects> {
  const ranges = await listRanges(client)
  if (ranges.length === 0) return NO_LARGE_OBJECTS
  return { ranges, roles: (await client.query<{ role: string }>(ROLES)).rows.map(({ role }) => role) }
}

async function listRanges(client: pg.Client): Promise<readonly LargeObjectRange[]> {
  const ranges: LargeObjectRange[] = []
  let after = '0'
  for (;;) {
    const page = await readPage(client, after)
    for (const { oid, bytes } of page) addTo(ranges, oid, Number(bytes))
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) return ranges
    after = last.oid
  }
}

interface Measured {
  readonly oid: string
  readonly bytes: string
}

async function readPage(client: pg.Client, after: string): Promise<readonly Measured[]> {
  try {
    return (await client.query<Measured>(LENGTHS, [after, PAGE])).rows
  } catch (error) {
    throw largeObjectFault('read the large objects', error)
  }
}

function addTo(ranges: LargeObjectRange[], oid: string, bytes: number): void {
  const open = ranges.at(-1)
  if (open === undefined || open.bytes >= RANGE_BYTES || open.count >= RANGE_COUNT) {
    ranges.push({ first: oid, last: oid, count: 1, bytes })
  } else {
    ranges[ranges.length - 1] = { ...open, last: oid, count: open.count + 1, bytes: open.bytes + bytes }
  }
}

/** How many there are, and their length together. */
export function totalOf(parts: readonly { readonly count: number; readonly bytes: number }[]): {
  readonly count: number
  readonly bytes: number
} {
  return {
    count: parts.reduce((total, part) => total + part.count, 0),
    bytes: parts.reduce((total, part) => total + part.bytes, 0),
  }
}

/** A failed reading or writing of large objects. */
export function largeObjectFault(what: string, error: unknown): Fault {
  if (error instanceof Fault) return error
  const remedy =
    sqlStateOf(error) === '42501'
      ? 'Connect as the owner of the large objects or as a member of that role, or GRANT SELECT ON LARGE OBJECT to the role that Lockstep connects with.'
      : remedyFor(error)
  return new Fault(`cannot ${what}: ${messageOf(error)}`, remedy, error)
}
