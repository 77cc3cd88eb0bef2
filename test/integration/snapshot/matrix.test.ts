import { onTestFinished, expect, test } from 'vitest'
import { restoreSnapshot } from '../../../lambda/snapshot/restore.ts'
import { createSnapshot } from '../../../lambda/snapshot/snapshot.ts'
import { createScratchDatabase, rowsOf, scratchDatabaseAt } from '../../support/scratch-database.ts'
import { MAJORS, startServerOf, whyNoServer } from '../../support/servers.ts'
import { everyTypeSql } from './every-type.ts'
import { rareObjectsSql } from './rare-objects.ts'
import { RICH_SCHEMA } from './rich-schema.ts'
import { contentOf, contextFor, directoryStore } from './support.ts'

const servers = await Promise.all(MAJORS.map(async (major) => ({ major, missing: await whyNoServer(major) })))

for (const { major, missing } of servers) {
  if (missing !== null) console.warn(`The round trip on PostgreSQL ${major} is skipped: ${missing}`)

  test.skipIf(missing !== null)(
    `everything that a database can hold makes the round trip on PostgreSQL ${major}`,
    async () => {
      const server = await startServerOf(major)
      onTestFinished(server.stop)
      const database = await createScratchDatabase(server.url, () => {})
      for (const sql of [RICH_SCHEMA, everyTypeSql(major), rareObjectsSql(major)]) await database.rows(sql)
      const context = contextFor(database, await directoryStore())
      const before = await contentOf(database)

      const { uri } = await createSnapshot(context, { runId: 'run' })
      const { tables, rows } = await restoreSnapshot(context, { uri, into: 'restored' })

      const restored = scratchDatabaseAt(server.url, 'restored', () => {})
      expect(await contentOf(restored)).toEqual(before)
      expect(await contentOf(database)).toEqual(before)
      expect(tables).toBe(Object.keys(before.tables).length)
      expect(rows).toBeGreaterThan(1200)
      expect(await rowsOf(server.url, 'SHOW server_version_num')).toMatchObject([
        { server_version_num: expect.stringMatching(new RegExp(`^${major}`)) as string },
      ])
    },
  )
}
