import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { quoteLiteral } from '../lambda/engine/database.ts'
import { readMigrationDirectory } from '../lambda/engine/migration/migration-directory.ts'
import { loadParser, splitSection } from '../lambda/engine/migration/statements.ts'

/** Writes `count` small migrations: a table with an index, then columns and rows for it. Gives the directory. */
export async function writeMigrations(parent: string, count: number): Promise<string> {
  const directory = join(parent, `migrations-${count}`)
  await mkdir(directory)
  for (let index = 0; index < count; index += 1) {
    const table = `t${index - (index % 4)}`
    await writeFile(join(directory, `${String(index + 1).padStart(5, '0')}_step.sql`), textOf(index % 4, table))
  }
  return directory
}

function textOf(kind: number, table: string): string {
  switch (kind) {
    case 0:
      return `-- migrate:up
CREATE TABLE ${table} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, made timestamptz DEFAULT now());
CREATE INDEX ${table}_name ON ${table} (name);
-- migrate:down
DROP TABLE ${table};
`
    case 1:
      return `-- migrate:up\nALTER TABLE ${table} ADD COLUMN note text;\n-- migrate:down\nALTER TABLE ${table} DROP COLUMN note;\n`
    case 2:
      return `-- migrate:up\nINSERT INTO ${table} (name) SELECT 'row ' || n FROM generate_series(1, 10) n;\n-- migrate:down\nDELETE FROM ${table};\n`
    default:
      return `-- migrate:up\nALTER TABLE ${table} ADD CONSTRAINT ${table}_check CHECK (name <> '');\n-- migrate:down\nALTER TABLE ${table} DROP CONSTRAINT ${table}_check;\n`
  }
}

/** The same statements and the same history rows, as a script for psql: one transaction. */
export async function psqlScript(directory: string): Promise<string> {
  await loadParser()
  const parts = ['BEGIN;']
  for (const [index, migration] of readMigrationDirectory(directory).entries()) {
    if (migration.kind !== 'sql') continue
    parts.push(...splitSection(migration, migration.up).map((statement) => `${statement.sql};`))
    parts.push(`INSERT INTO lockstep.migrations VALUES ('default', ${quoteLiteral(migration.id)}, '${migration.checksum}', 'sql', ${index + 1},
  '{}', ${quoteLiteral(migration.source)}, NULL, now(), 1, '00000000-0000-0000-0000-000000000000', 'psql', '0');`)
  }
  return [...parts, 'COMMIT;', ''].join('\n')
}

/** What a run with nothing to do asks, as a script for psql. */
export const PSQL_NOOP = `SELECT pg_try_advisory_lock(1);
SELECT id, checksum, kind, position, parents, applied_at, duration_ms, run_id, applied_by, lockstep_version
  FROM lockstep.migrations WHERE "set" = 'default' ORDER BY position;
SELECT pg_advisory_unlock(1);
`
