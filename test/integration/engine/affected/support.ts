import { SqlError, type Connection } from '../../../../lambda/engine/database.ts'
import { buildGraph } from '../../../../lambda/engine/plan/migration-graph.ts'
import { loadParser } from '../../../../lambda/engine/migration/statements.ts'
import { upStep, type SqlStep } from '../../../../lambda/engine/plan/step.ts'
import { sql } from '../../../support/engine.ts'

/** A step that runs these statements. */
export async function stepOf(
  text: string,
  { down, verify }: { readonly down?: string; readonly verify?: string } = {},
): Promise<SqlStep> {
  await loadParser()
  const up = verify === undefined ? text : `${text};\n-- migrate:verify\n${verify};`
  const [node] = buildGraph([sql('1_step', up, down, { transaction: false })]).ordered
  if (node === undefined) throw new Error('there is no migration')
  const step = upStep(node)
  if (step.kind !== 'sql') throw new Error('it is not SQL')
  return step
}

/** Of each table that has rows: what it is called, and something that differs when a row or the file behind it does. */
export type Prints = ReadonlyMap<string, { readonly name: string; readonly print: string }>

export async function printsOf(connection: Connection): Promise<Prints> {
  const { rows } = await connection.query(
    `SELECT c.oid::text AS oid, format('%I.%I', n.nspname, c.relname) AS name, c.relfilenode::text AS file
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`,
  )
  const hashes = rows.map(
    ({ oid, name }) =>
      `SELECT '${String(oid)}' AS oid, md5(coalesce(string_agg(r::text, '|' ORDER BY r::text), '')) AS hash FROM ONLY ${String(name)} AS r`,
  )
  const found = hashes.length === 0 ? [] : (await connection.query(hashes.join(' UNION ALL '))).rows
  const byOid = new Map(found.map((row) => [String(row.oid), String(row.hash)]))
  return new Map(
    rows.map(({ oid, name, file }) => [
      String(oid),
      { name: String(name), print: `${String(file)} ${byOid.get(String(oid))}` },
    ]),
  )
}

/** Tables that were there before, and now are not, or have other rows or another file. */
export function differences(before: Prints, after: Prints): readonly string[] {
  return [...before].filter(([oid, { print }]) => after.get(oid)?.print !== print).map(([, { name }]) => name)
}

/** Runs the statements in the open transaction; one that PostgreSQL refuses leaves no trace. Gives those that ran. */
export async function runAll(connection: Connection, statements: readonly string[]): Promise<readonly string[]> {
  const done: string[] = []
  for (const statement of statements) {
    await connection.execute('SAVEPOINT one')
    try {
      await connection.execute(
        `${statement}\n;SET CONSTRAINTS ALL IMMEDIATE; RELEASE one; SET CONSTRAINTS ALL DEFERRED`,
      )
      done.push(statement)
    } catch (error) {
      if (!(error instanceof SqlError)) throw error
      await connection.execute('ROLLBACK TO one')
    }
  }
  return done
}
