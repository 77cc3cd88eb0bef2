import { expect, it } from 'vitest'
import type { ErrorReport, RunResult } from '../../../lambda/contract.ts'
import { errorOf, messageOf, reportOf, shortSentenceOf } from '../../../lambda/errors.ts'
import { plan } from '../../../lambda/engine/inspect.ts'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import type { Log } from '../../../lambda/log.ts'
import { renderPlanMarkdown } from '../../../cli/render/markdown/plan.ts'
import { createDatabase } from '../../support/database.ts'
import { code, engineFor, sql } from '../../support/engine.ts'

function recordingLog(): { readonly log: Log; readonly lines: unknown[] } {
  const lines: unknown[] = []
  const keep = (...line: unknown[]): void => void lines.push(line)
  return { log: { info: keep, warn: keep, error: keep }, lines }
}

/** What a failed run says, wherever it says it. */
async function saidOf(migration: Migration): Promise<string> {
  const database = await createDatabase()
  const { log, lines } = recordingLog()
  const found = await migrateUp(engineFor(database, { log }), { migrations: [migration] }).catch(
    (error: unknown) => error,
  )
  const report = found instanceof Error ? reportOf(found) : reportOf(errorOf(errorIn(found as RunResult)))
  const runs = await database.rows(`SELECT to_jsonb(r) AS run FROM lockstep.runs r`).catch(() => [])
  const said = { report, answer: shortSentenceOf(report), thrown: messageOf(found), lines, runs }
  return JSON.stringify(said)
}

function errorIn({ error }: RunResult): ErrorReport {
  if (error === undefined) throw new Error('It did not fail.')
  return error
}

it.each([
  ['a role', "CREATE ROLE postgres LOGIN PASSWORD 'canary-1234'"],
  ['a user that is not there', "ALTER USER nobody_is_here PASSWORD 'canary-1234'"],
  ['a password without quotes', 'ALTER USER postgres PASSWORD canary1234'],
  ['a password without an end', "ALTER USER postgres PASSWORD 'canary-1234"],
  ['a password above the statement that fails', "SET LOCAL my.password = 'canary-1234';\nSELECT nothing"],
  ['a password beneath', "SELECT nothing, 'password=canary-1234'"],
  ['a subscription', "CREATE SUBSCRIPTION s CONNECTION 'canary-1234' PUBLICATION p"],
  [
    'a subscription that does not connect',
    "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=1 password=canary-1234' PUBLICATION p",
  ],
  ['a user mapping', "CREATE USER MAPPING FOR postgres SERVER nowhere OPTIONS (user 'a', password 'canary-1234')"],
  ['a remote query', "SELECT dblink_connect('host=127.0.0.1 port=1 password=canary-1234')"],
  ['a block', "DO $$ BEGIN EXECUTE 'ALTER ROLE nobody_is_here PASSWORD ''canary-1234'''; END $$"],
])('an error does not tell the secret of %s', async (_, up) => {
  const said = await saidOf(sql('1_a', `${up};`))
  expect(said).toMatch(/1_a\.sql|MIGRATION/)
  expect(said).not.toContain('canary')
})

it('an error of code does not tell the secret of its statement', async () => {
  const migration = code('1_a', {
    up: async ({ query }) => {
      await query("DO $$ BEGIN RAISE EXCEPTION 'cannot reach %', 'postgres://a:canary-1234@b/c'; END $$")
    },
  })
  const said = await saidOf(migration)
  expect(said).toContain('cannot reach postgres://a:***@b/c')
  expect(said).not.toContain('canary')
})

it('a plan does not tell secrets', async () => {
  const database = await createDatabase()
  const migrations = [sql('1_a', "CREATE ROLE a PASSWORD 'canary-1234';", "ALTER ROLE a PASSWORD 'canary-1234';")]
  const found = await plan(engineFor(database), { migrations, sql: true, snapshot: 'none' })
  expect(JSON.stringify(found)).toContain("CREATE ROLE a PASSWORD '***'")
  expect(JSON.stringify(found)).not.toContain('canary')
  expect(renderPlanMarkdown(found, { directory: 'migrations' })).not.toContain('canary')
})
