import { extract, type ExtractResult } from '@supabase/pg-delta/extract'
import { plan, type Action } from '@supabase/pg-delta/plan'
import type pg from 'pg'
import type { StructureScope } from '../../lambda/engine/catalog/read-structure.ts'
import { driftBetween } from '../../lambda/engine/drift/difference.ts'
import type { DriftDifference } from '../../lambda/drift-contract.ts'
import { messageOf } from '../../lambda/errors.ts'
import type { ShadowServer } from '../shadow/shadow-server.ts'
import type { Reconciliation } from './reconciliation.ts'
import { structureAt } from './scratch.ts'

/** Statements that make one schema of another. Nobody has run them on the database. */
export interface Offer {
  readonly sql: string
  /** What loses data. */
  readonly destructive: readonly string[]
  /** What is still different after them, as it was tried on a copy. */
  readonly left: readonly DriftDifference[]
  /** Why they fail there. Null: they do not. */
  readonly failure: string | null
}

/** To take back what was changed, and to do it again. */
export interface Offers {
  readonly revert: Offer
  /** Null: it was not asked for. */
  readonly adopt: Offer | null
}

/** Names of two databases of the scratch server, with the structure of the live one and with that of its history. */
export interface Copies {
  readonly live: string
  readonly history: string
}

/**
 * Finds statements that lead from one structure to the other, and tries them on a copy of the copy.
 *
 * @throws whatever the library throws that finds them
 */
export async function offersFor(
  server: ShadowServer,
  { live, history }: Copies,
  scope: StructureScope,
  way: Reconciliation,
): Promise<Offers> {
  const [found, wanted] = [await factsOf(server, live), await factsOf(server, history)]
  const offer = (
    from: ExtractResult,
    to: ExtractResult,
    databases: { readonly start: string; readonly goal: string },
  ) => tried(server, planBetween(from, to), { ...databases, scope })
  return {
    revert: await offer(found, wanted, { start: live, goal: history }),
    adopt: way === 'adopt' ? await offer(wanted, found, { start: history, goal: live }) : null,
  }
}

/**
 * Roles belong to the server: others make and drop them while one database is read after the other. What names them is
 * offered, but not they themselves.
 */
function planBetween(from: ExtractResult, to: ExtractResult): ReturnType<typeof plan> {
  return plan(from.factBase, to.factBase, {
    renames: 'off',
    scope: 'database',
    assumedRoles: [...rolesOf(from), ...rolesOf(to)],
  })
}

function rolesOf({ factBase }: ExtractResult): readonly string[] {
  return factBase.facts().flatMap(({ id }) => (id.kind === 'role' ? [id.name] : []))
}

async function tried(
  server: ShadowServer,
  found: ReturnType<typeof plan>,
  { start, goal, scope }: { readonly start: string; readonly goal: string; readonly scope: StructureScope },
): Promise<Offer> {
  // On the scratch server everything is its user's.
  const actions = found.actions
    .filter(({ sql }) => !OWNERSHIP.test(sql))
    .map((action) => ({ ...action, sql: action.sql.replace(SCHEMA_OWNER, '$1') }))
  const settings = actions.some(({ sql }) => ROUTINE.test(sql))
    ? found.preamble.filter(({ name }) => name !== 'search_path')
    : []
  const statements = [
    ...settings.map(({ name, value }) => `SET ${name} = ${value}`),
    ...actions.map(({ sql }) => sql.trim().replace(/;$/, '')),
    ...settings.map(({ name }) => `RESET ${name}`),
  ]
  const trial = await server.createDatabase({ template: start })
  const failure = await failureOf(server, trial, statements)
  return {
    sql: statements.map((statement) => `${statement};\n`).join(''),
    destructive: actions.filter(isDestructive).map(({ sql }) => sql),
    left: driftBetween(await structureAt(server, goal, scope), await structureAt(server, trial, scope)),
    failure,
  }
}

const OWNERSHIP = /^ALTER [^\n]* OWNER TO [^\n]*$/
const SCHEMA_OWNER = /^(CREATE SCHEMA "(?:[^"]|"")+") AUTHORIZATION "(?:[^"]|"")+"$/

/** Its body may speak of what comes after it. */
const ROUTINE = /^CREATE [^\n]*\b(?:FUNCTION|PROCEDURE)\b/

function isDestructive({ dataLoss }: Action): boolean {
  return dataLoss === 'destructive'
}

async function failureOf(
  server: ShadowServer,
  database: string,
  statements: readonly string[],
): Promise<string | null> {
  const client = await server.openClient(database)
  try {
    for (const statement of statements) await client.query(statement)
    return null
  } catch (error) {
    return messageOf(error)
  } finally {
    await client.end()
  }
}

/** The library asks a pool for one session. Nobody may be left on a database that is to be copied. */
async function factsOf(server: ShadowServer, database: string): Promise<ExtractResult> {
  const client = await server.openClient(database)
  try {
    const connect = async () => Object.assign(client, { release: () => {} })
    return await extract({ connect } as unknown as pg.Pool)
  } finally {
    await client.end()
  }
}
