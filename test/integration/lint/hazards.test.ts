import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { judge } from '../../../cli/lint/judge/judge.ts'
import { readAftermath } from '../../../cli/lint/aftermath.ts'
import { readCatalog, type Catalog } from '../../../cli/lint/catalog.ts'
import { beforeOf } from '../../../cli/lint/difference.ts'
import { observeStep } from '../../../cli/lint/observe.ts'
import { openWatchedDatabase, type WatchedDatabase } from '../../../cli/lint/watch.ts'
import { startShadowServer, type ShadowServer } from '../../../cli/shadow/shadow-server.ts'
import { loadParser } from '../../../lambda/engine/migration/statements.ts'
import { upStep } from '../../../lambda/engine/plan/step.ts'
import { EXAMPLES } from '../../../tools/hazard-examples/all.ts'
import { fileOf, SHOP, type Example, type Up } from '../../../tools/hazard-examples/example.ts'
import { fileOf as migrationOf } from '../../support/engine.ts'

let server: ShadowServer
let watched: WatchedDatabase

beforeAll(async () => {
  await loadParser()
  server = await startShadowServer({ url: inject('serverUrl') })
  watched = await openWatchedDatabase(server)
})

afterAll(() => server.stop())

const EMPTY = `DO $$ DECLARE found name; BEGIN
  FOR found IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'lockstep')
  LOOP EXECUTE format('DROP SCHEMA %I CASCADE', found); END LOOP;
END $$; CREATE SCHEMA public`

/** The hazards of the migrations, deployed one after the other. */
async function hazardsOf({ given = '' }: Example, ups: readonly Up[]): Promise<readonly string[]> {
  const { connection, historySchema } = watched.database
  await connection.execute(`${EMPTY}; ${SHOP} ${given}`)
  let catalog: Catalog = await readCatalog(connection, historySchema)
  let aftermath = await readAftermath(connection, historySchema)
  const ids = new Set<string>()
  for (const [index, up] of ups.entries()) {
    const step = upStep({ migration: migrationOf(`${index + 1}_example`, fileOf(up)), parents: [] })
    const observed = await observeStep(watched, step, { catalog, before: beforeOf(catalog) })
    for (const { id } of judge(observed, aftermath)) ids.add(id)
    ;({ catalog, aftermath } = observed)
  }
  return [...ids]
}

test.for(Object.entries<Example>(EXAMPLES))(
  '%s is raised by its example, and not by the safe way',
  async ([id, example]) => {
    expect(await hazardsOf(example, [example.bad])).toEqual([id, ...(example.also ?? [])])
    expect(await hazardsOf(example, example.safe ?? [])).not.toContain(id)
  },
)
