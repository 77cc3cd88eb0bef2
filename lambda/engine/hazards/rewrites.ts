import type { HazardKind } from './hazard.ts'

const BLOCKS =
  'Reads and writes of the table wait until it and its indexes are written anew (ACCESS EXCLUSIVE); it needs the space twice.'

/** Tables that are written anew. */
export const REWRITES = {
  'rewrite-column-type': {
    title: 'A change of type rewrites the table, or its indexes',
    blocks: BLOCKS,
    safely:
      'Add a new column, fill it in batches, keep it up to date with a trigger, then swap the names. Without a rewrite: a longer varchar, varchar to text, a wider numeric, cidr to inet, and timestamp to timestamptz when TimeZone is UTC.',
    severity: 'error',
    work: 'rewrite',
    observed: 'ALTER COLUMN … TYPE changes the relfilenode of the table, or builds an index anew',
  },
  'rewrite-column-default': {
    title: 'A new column is filled by writing the table anew',
    blocks: BLOCKS,
    safely:
      'Add the column without the default, SET DEFAULT for new rows, then fill the old ones in batches. Defaults that are constant, or stable such as now(), need no rewrite; serial and IDENTITY do.',
    severity: 'error',
    work: 'rewrite',
    observed:
      'ADD COLUMN changes the relfilenode of the table: its default is volatile, a sequence, or a constrained domain',
  },
  'rewrite-generated-column': {
    title: 'A stored generated column is computed by writing the table anew',
    blocks: BLOCKS,
    safely:
      'Add a plain column, fill it in batches and keep it up to date with a trigger; or a VIRTUAL one (PostgreSQL 18), which is computed when it is read.',
    severity: 'error',
    work: 'rewrite',
    observed: 'ADD COLUMN … STORED, or SET EXPRESSION, changes the relfilenode of the table',
  },
  'rewrite-logged': {
    title: 'SET LOGGED or UNLOGGED writes the table anew',
    blocks: BLOCKS,
    safely: 'Do it while the table is small, or fill a new table of the other kind in batches.',
    severity: 'error',
    work: 'rewrite',
    observed: 'SET LOGGED or SET UNLOGGED changes the relfilenode of the table',
  },
  'rewrite-table': {
    title: 'The table is written anew',
    blocks: BLOCKS,
    safely: 'Instead of VACUUM FULL and CLUSTER: pg_repack, which works beside the application.',
    severity: 'error',
    work: 'rewrite',
    observed: 'VACUUM FULL, CLUSTER, SET ACCESS METHOD, SET TABLESPACE or code changes the relfilenode of the table',
  },
  'table-truncated': {
    title: 'TRUNCATE empties a table',
    blocks:
      'Reads and writes of the table wait for the lock (ACCESS EXCLUSIVE); its rows are gone, and a down does not bring them back.',
    safely: 'DELETE in batches, in a .ts migration with batch(); or leave the rows to the application.',
    severity: 'error',
    work: null,
    observed: 'TRUNCATE gives a table that was there before a new relfilenode',
  },
  'truncate-cascades': {
    title: 'TRUNCATE … CASCADE empties more tables than it names',
    blocks: 'Every table that references this one is emptied as well, and so are those that reference them.',
    safely: 'Name the tables that are meant to be emptied, without CASCADE.',
    severity: 'error',
    work: null,
    observed: 'TRUNCATE gives tables that it does not name a new relfilenode',
  },
} as const satisfies Readonly<Record<string, HazardKind>>
