import { expect, onTestFinished, test } from 'vitest'
import { restoreSnapshot } from '../../../lambda/snapshot/restore.ts'
import { createSnapshot } from '../../../lambda/snapshot/snapshot.ts'
import { createDatabase, type TestDatabase } from '../../support/database.ts'
import { createScratchDatabase, scratchDatabaseAt } from '../../support/scratch-database.ts'
import { startServerOf, whyNoServer } from '../../support/servers.ts'
import { contentOf, contextFor, directoryStore, reportOfFailure } from './support.ts'

const OLDER = 14

async function olderDatabase(): Promise<{ readonly database: TestDatabase; readonly url: string }> {
  const server = await startServerOf(OLDER)
  onTestFinished(server.stop)
  return { database: await createScratchDatabase(server.url, () => {}), url: server.url }
}

test.skipIf((await whyNoServer(OLDER)) !== null)(
  'an older server takes what it knows, and is named for what it does not',
  async () => {
    const original = await createDatabase()
    await original.rows(`
      CREATE TABLE item (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
      INSERT INTO item (name) SELECT n::text FROM generate_series(1, 10) n`)
    const store = await directoryStore()
    const known = await createSnapshot(contextFor(original, store), { runId: 'known' })
    await original.rows('CREATE UNIQUE INDEX ON item (name) NULLS NOT DISTINCT')
    const unknown = await createSnapshot(contextFor(original, store), { runId: 'unknown' })
    const { database, url } = await olderDatabase()
    const context = contextFor(database, store)

    await restoreSnapshot(context, { uri: known.uri, into: 'restored' })
    const report = await reportOfFailure(restoreSnapshot(context, { uri: unknown.uri, into: 'another' }))

    const restored = scratchDatabaseAt(url, 'restored', () => {})
    const rows = 'SELECT * FROM item ORDER BY id'
    expect(await restored.rows(rows)).toEqual(await original.rows(rows))
    expect((await contentOf(restored)).sequences).toBe((await contentOf(original)).sequences)
    expect(report).toMatchObject({
      message: expect.stringContaining(
        'post-data.sql, at "CREATE UNIQUE INDEX item_name_idx ON public.item USING btree"',
      ) as string,
      remedy:
        'The snapshot is of PostgreSQL 18, and this server is PostgreSQL 14, which does not know all of it: restore it to PostgreSQL 18 or newer.',
    })
  },
)
