import { randomUUID } from 'node:crypto'
import { expect, inject, it, onTestFinished } from 'vitest'
import { offersFor } from '../../../cli/drift/reconcile.ts'
import { startShadowServer, type ShadowServer } from '../../../cli/shadow/shadow-server.ts'
import { databaseAt, onServer } from '../../support/database.ts'

async function scratchServer(): Promise<ShadowServer> {
  const server = await startShadowServer({ url: inject('serverUrl') })
  onTestFinished(() => server.stop())
  return server
}

async function databaseWith(server: ShadowServer, sql: string): Promise<string> {
  const name = await server.createDatabase()
  await databaseAt(name).rows(sql)
  return name
}

function roleLater(purpose: string): string {
  const name = `${purpose}_${randomUUID().slice(0, 8)}`
  onTestFinished(() => onServer(`DROP ROLE IF EXISTS ${name}`))
  return name
}

/** Somebody else is at work on the server while the databases are read one after the other. */
function busyServer(server: ShadowServer, work: () => Promise<void>): ShadowServer {
  let sessions = 0
  const openClient: ShadowServer['openClient'] = async (database) => {
    sessions += 1
    if (sessions === 2) await work()
    return server.openClient(database)
  }
  return { ...server, openClient }
}

it('offers nothing for roles that come and go on the server meanwhile', async () => {
  const [going, coming, member] = [roleLater('going'), roleLater('coming'), roleLater('member')]
  const server = await scratchServer()
  await onServer(`CREATE ROLE ${going}`)
  await onServer(`CREATE ROLE ${member} IN ROLE ${going}`)
  const busy = busyServer(server, async () => {
    await onServer(`DROP ROLE ${going}`)
    await onServer(`CREATE ROLE ${coming} ROLE ${member}`)
  })
  const live = await databaseWith(server, 'CREATE TABLE stray (id int)')
  const history = await databaseWith(server, 'SELECT')

  const offers = await offersFor(busy, { live, history }, { major: server.major, own: ['lockstep'] }, 'adopt')

  expect(offers.revert).toMatchObject({ sql: 'DROP TABLE "public"."stray";\n', left: [], failure: null })
  expect(offers.adopt).toMatchObject({
    sql: 'CREATE TABLE "public"."stray" ("id" integer);\n',
    left: [],
    failure: null,
  })
})

it('offers what names roles of the server: policies, privileges, user mappings and owners', async () => {
  const reader = roleLater('reader')
  const server = await scratchServer()
  await onServer(`CREATE ROLE ${reader}`)
  const start =
    'CREATE TABLE t (id int); CREATE FOREIGN DATA WRAPPER remote; CREATE SERVER s FOREIGN DATA WRAPPER remote;'
  const history = await databaseWith(server, start)
  const live = await databaseWith(
    server,
    `${start} ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t TO ${reader} USING (true);
GRANT SELECT ON t TO ${reader}; CREATE USER MAPPING FOR ${reader} SERVER s;
CREATE SCHEMA app; CREATE VIEW app.v AS SELECT id FROM t; ALTER VIEW app.v OWNER TO ${reader}`,
  )

  const offers = await offersFor(server, { live, history }, { major: server.major, own: ['lockstep'] }, 'adopt')

  expect(offers.adopt).toMatchObject({ left: [], failure: null })
  expect(offers.adopt?.sql).toContain(`TO "${reader}"`)
  expect(offers.adopt?.sql).not.toMatch(/AUTHORIZATION|OWNER TO| ROLE /)
  expect(offers.revert).toMatchObject({ left: [], failure: null })
})
