import type pg from 'pg'
import { dumpSchema, type SchemaSection } from '../../lambda/snapshot/pg-dump.ts'
import { withSessions } from '../../lambda/snapshot/session.ts'
import { parseScript, runTogether, type Script } from '../../lambda/snapshot/sql-script.ts'
import { messageOf } from '../../lambda/errors.ts'
import type { ShadowServer } from '../shadow/shadow-server.ts'

/** The structure of a database as pg_dump writes it, without what depends on where it is. */
export interface StructureScripts {
  readonly scripts: readonly Script[]
}

const OPTIONS = ['--no-owner', '--no-privileges', '--no-tablespaces', '--no-subscriptions', '--no-security-labels']

/**
 * Dumps the structure of a database.
 *
 * @param leftOut - schemas
 * @throws Fault
 */
export async function dumpStructure(
  openClient: () => Promise<pg.Client>,
  leftOut: readonly string[],
): Promise<StructureScripts> {
  const options = [...OPTIONS, ...leftOut.map((schema) => `--exclude-schema=${pattern(schema)}`)]
  return withSessions({ openClient }, async (open) => {
    const holder = await open()
    await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const { rows } = await holder.query<{ id: string }>('SELECT pg_catalog.pg_export_snapshot() AS id')
    const section = async (name: SchemaSection): Promise<Script> =>
      parseScript(name, await dumpSchema(await open(), name, rows[0]?.id ?? '', options))
    return { scripts: [await section('pre-data'), await section('post-data')] }
  })
}

/** Within double quotes nothing is special in a pattern of pg_dump. */
function pattern(schema: string): string {
  return `"${schema.replaceAll('"', '""')}"`
}

/** A database with the structure of another one. */
export interface StructureCopy {
  readonly name: string
  /** What of it could not be made, and why. */
  readonly failures: readonly string[]
}

/** Makes the structure in a database of its own. */
export async function restoreStructure(server: ShadowServer, { scripts }: StructureScripts): Promise<StructureCopy> {
  const name = await server.createDatabase()
  const client = await server.openClient(name)
  const failures: string[] = []
  try {
    for (const script of scripts) {
      const statements = script.statements.map(({ sql }) => sql).filter((sql) => !IS_THERE.test(sql))
      await runTogether(client, script.name, statements, (_sql, error) => void failures.push(messageOf(error)))
    }
  } finally {
    await client.end()
  }
  return { name, failures }
}

/** Every database begins with it. */
const IS_THERE = /^CREATE SCHEMA public$/
