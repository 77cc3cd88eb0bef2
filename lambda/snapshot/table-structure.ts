import type pg from 'pg'
import { quoteIdentifier } from '../engine/database.ts'
import { listSequences, qualified } from './catalog.ts'
import { keyOf, type Copy } from './chosen-copies.ts'
import { dumpSchema } from './pg-dump.ts'
import type { RestoreScripts } from './restore-scripts.ts'
import type { StatementEffect } from './script-statement.ts'
import { sequenceScript } from './sequences.ts'
import { prepareSession, type OpenSession } from './session.ts'
import { parseScript, runScript, runStatement, type Script } from './sql-script.ts'

/** The statements that make tables in their new schemas, and what the sequences were at. */
export interface TableStructure {
  readonly preData: Script
  readonly sequences: Script
  readonly postData: Script
}

/**
 * Finds out how chosen tables are made in other schemas. The structure of the whole snapshot is put into an empty
 * database, without rows; there PostgreSQL itself moves the tables to their new schemas, with their indexes,
 * constraints and sequences, and pg_dump writes them down. Everything else they refer to keeps its name. Foreign keys,
 * triggers, rules, policies, owners and privileges are left out: they would bind the originals, or act by themselves.
 *
 * @param open Opens a session in the empty database.
 */
export async function structureOf(
  open: OpenSession,
  scripts: RestoreScripts,
  copies: readonly Copy[],
): Promise<TableStructure> {
  const client = await open()
  await prepareSession(client, { synchronous_commit: 'off' })
  await runScript(client, scripts.preData)
  await prepareSession(client)
  await runScript(client, scripts.sequences)
  const chosen = new Set(copies.map(keyOf))
  await runScript(client, onlyOf(scripts.postData, chosen))
  for (const sql of await detachments(client, chosen)) await runStatement(client, 'detaching', sql)
  for (const sql of moves(copies, await schemaNames(client))) await runStatement(client, 'moving', sql)
  return describe(open, client, [...new Set(copies.map(({ intoSchema }) => intoSchema))])
}

/** The indexes, and the constraints that bind nobody else, of the chosen tables. */
function onlyOf(script: Script, chosen: ReadonlySet<string>): Script {
  const indexes = new Set<string>()
  const isWanted = (effect: StatementEffect): boolean => {
    switch (effect.kind) {
      case 'setting':
        return true
      case 'index':
      case 'constraint':
        if (!chosen.has(effect.table)) return false
        if (effect.index !== null) indexes.add(effect.index)
        return true
      case 'attach-index':
        return indexes.has(effect.index) && indexes.has(effect.partition)
      case 'follower':
        return effect.relations.every((relation) => chosen.has(relation) || indexes.has(relation))
      default:
        return false
    }
  }
  return { ...script, statements: script.statements.filter(({ effect }) => isWanted(effect)) }
}

const PARENTS = `
  SELECT cn.nspname::text AS "childSchema", c.relname::text AS child, c.relispartition AS "isPartition",
         pn.nspname::text AS "parentSchema", p.relname::text AS parent
    FROM pg_catalog.pg_inherits i
    JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
    JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
    JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
    JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
   WHERE c.relkind IN ('r', 'p')`

interface Parenthood {
  readonly childSchema: string
  readonly child: string
  readonly isPartition: boolean
  readonly parentSchema: string
  readonly parent: string
}

/** A copy must not become a part of a table that is not copied with it: its rows would show in the original. */
async function detachments(client: pg.Client, chosen: ReadonlySet<string>): Promise<readonly string[]> {
  const { rows } = await client.query<Parenthood>(PARENTS)
  return rows.flatMap(({ isPartition, ...names }) => {
    const child = { schema: names.childSchema, name: names.child }
    const parent = { schema: names.parentSchema, name: names.parent }
    if (!chosen.has(keyOf(child)) || chosen.has(keyOf(parent))) return []
    return isPartition
      ? [`ALTER TABLE ${qualified(parent)} DETACH PARTITION ${qualified(child)}`]
      : [`ALTER TABLE ${qualified(child)} NO INHERIT ${qualified(parent)}`]
  })
}

async function schemaNames(client: pg.Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>('SELECT nspname::text AS name FROM pg_catalog.pg_namespace')
  return new Set(rows.map(({ name }) => name))
}

function moves(copies: readonly Copy[], existing: ReadonlySet<string>): readonly string[] {
  const schemas = [...new Set(copies.map(({ intoSchema }) => intoSchema))]
  return [
    // The snapshot may know a schema of that name, which the database does not have any more. A temporary one is free.
    ...schemas.map((_schema, index) => `CREATE SCHEMA ${quoteIdentifier(temporaryName(index, existing))}`),
    ...copies.map(
      (copy) =>
        `ALTER TABLE ${qualified(copy)} SET SCHEMA ${quoteIdentifier(temporaryName(schemas.indexOf(copy.intoSchema), existing))}`,
    ),
    ...schemas.flatMap((schema, index) => [
      ...(existing.has(schema)
        ? [
            `ALTER SCHEMA ${quoteIdentifier(schema)} RENAME TO ${quoteIdentifier(temporaryName(schemas.length + index, existing))}`,
          ]
        : []),
      `ALTER SCHEMA ${quoteIdentifier(temporaryName(index, existing))} RENAME TO ${quoteIdentifier(schema)}`,
    ]),
  ]
}

function temporaryName(index: number, existing: ReadonlySet<string>): string {
  let name = `lockstep_moved_${index}`
  while (existing.has(name)) name += '_'
  return name
}

async function describe(open: OpenSession, client: pg.Client, schemas: readonly string[]): Promise<TableStructure> {
  const sequences = (await listSequences(client)).filter(({ schema }) => schemas.includes(schema))
  const states = await sequenceScript(client, sequences)
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
  const { rows } = await client.query<{ id: string }>('SELECT pg_catalog.pg_export_snapshot() AS id')
  const snapshotId = rows[0]?.id ?? ''
  const options = ['--no-owner', '--no-privileges', ...schemas.map((schema) => `--schema=${pattern(schema)}`)]
  const dump = async (section: 'pre-data' | 'post-data'): Promise<Script> => {
    const session = await open()
    await prepareSession(session)
    return parseScript(`the ${section} of the tables`, await dumpSchema(session, section, snapshotId, options))
  }
  return {
    preData: await dump('pre-data'),
    sequences: await parseScript('the sequences of the tables', states),
    postData: await dump('post-data'),
  }
}

/** Within double quotes nothing is special in a pattern of pg_dump. */
function pattern(schema: string): string {
  return quoteIdentifier(schema)
}
