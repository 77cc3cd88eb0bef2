import { expect, it } from 'vitest'
import type { Migration } from '../../../lambda/engine/migration/migration.ts'
import type { RunRequest } from '../../../lambda/engine/run/migrate.ts'
import { drift } from '../../../lambda/engine/drift/drift.ts'
import { resolvePolicy } from '../../../lambda/engine/policy/policy.ts'
import { migrateUp } from '../../../lambda/engine/run/migrate.ts'
import { createDatabase } from '../../support/database.ts'
import { engineFor, sql } from '../../support/engine.ts'

const a = sql('1_a', 'CREATE TABLE a (id int);')
const b = sql('2_b', 'CREATE TABLE b (id int);')

function up(migrations: readonly Migration[]): RunRequest {
  const policy = resolvePolicy([{ source: 'property', settings: { onDrift: 'warn' } }])
  return { migrations, gate: { policy, analysis: {} } }
}

function options(password: string): string {
  return `OPTIONS (host 'h', password '${password}')`
}

it('a schema that somebody else has changed is told without secrets, but not taken for the same', async () => {
  const database = await createDatabase()
  const engine = engineFor(database)
  await migrateUp(engine, up([a]))
  await database.rows(`CREATE FOREIGN DATA WRAPPER remote; CREATE SERVER elsewhere FOREIGN DATA WRAPPER remote ${options('canary-1')};
CREATE USER MAPPING FOR postgres SERVER elsewhere ${options('canary-2')};
ALTER DATABASE ${database.name} SET my.api_key = 'canary-3'`)
  const found = JSON.stringify(await drift(engine))
  expect(found).toContain('elsewhere')
  const run = await migrateUp(engine, up([a, b]))
  const kept = await database.rows('SELECT to_jsonb(r) AS run FROM lockstep.runs r')
  expect(JSON.stringify([found, run, kept])).not.toContain('canary')
  await database.rows("ALTER SERVER elsewhere OPTIONS (SET password 'canary-4')")
  expect((await drift(engine)).differences).toMatchObject([{ change: 'changed' }])
})
