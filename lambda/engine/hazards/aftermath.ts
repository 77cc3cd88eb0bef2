import type { HazardKind } from './hazard.ts'

/** What shows only afterwards, and what is a matter of design. */
export const AFTERMATH = {
  'invalid-index-left': {
    title: 'An invalid index is left behind',
    blocks: 'It is kept up to date at every write, and used by no query.',
    safely: 'Attach the indexes of all partitions, or drop the index and build it again with CONCURRENTLY.',
    severity: 'error',
    work: null,
    observed: 'an index is invalid when the migration has ended',
  },
  'foreign-key-without-index': {
    title: 'A foreign key without an index on the referencing columns',
    blocks: 'Each DELETE, or UPDATE of the key, of the referenced table scans the whole referencing one.',
    safely: 'CREATE INDEX CONCURRENTLY on the referencing columns.',
    severity: 'warning',
    work: null,
    observed: 'no index of the referencing table begins with the columns of a new foreign key',
  },
  'table-without-primary-key': {
    title: 'A table without a primary key',
    blocks: 'Rows cannot be told apart: logical replication refuses UPDATE and DELETE.',
    safely: 'Give it a PRIMARY KEY: id bigint GENERATED ALWAYS AS IDENTITY, or the columns that identify a row.',
    severity: 'warning',
    work: null,
    observed: 'a table that the migration made has no primary key when it has ended',
  },
  'concurrent-index-corruption': {
    title: 'CONCURRENTLY on PostgreSQL 14.0 to 14.3 corrupts indexes',
    blocks: 'Queries through the index miss rows (fixed in 14.4).',
    safely: 'Bring the server to 14.4 or later first, then REINDEX what was built before.',
    severity: 'error',
    work: null,
    observed: 'CREATE INDEX or REINDEX CONCURRENTLY, and the server of the database is of version 14.0 to 14.3',
  },
  'json-column': {
    title: 'json instead of jsonb',
    blocks: 'It has no equality (DISTINCT, GROUP BY and UNION fail), no index, and is parsed at every read.',
    safely: 'jsonb.',
    severity: 'notice',
    work: null,
    observed: 'a new column has the type json',
  },
  'several-alter-tables': {
    title: 'Several ALTER TABLE on one table where one would do',
    blocks: 'Each waits for the lock again, and scans or rewrites the table again.',
    safely: 'Write the actions into one ALTER TABLE, separated by commas.',
    severity: 'notice',
    work: null,
    observed: 'consecutive ALTER TABLE statements on a table that was there before',
  },
  'not-observed': {
    title: 'The migration fails where it was tried',
    blocks: 'Nothing is known of what it does from there on.',
    safely: 'Correct it; "validate" shows where. An extension that the shadow lacks: give a server that has it.',
    severity: 'error',
    work: null,
    observed: 'a statement fails on the shadow',
  },
} as const satisfies Readonly<Record<string, HazardKind>>
