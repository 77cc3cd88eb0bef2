import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { endpointFromUrl } from '../../../lambda/adapters/endpoint.ts'
import { connect, type Endpoint } from '../../../lambda/adapters/postgres.ts'
import { createDatabase } from '../../support/database.ts'
import { reportThrownBy } from '../../support/report.ts'
import { startSilentServer } from '../../support/silent-server.ts'
import { startTlsServer } from '../../support/tls-server.ts'

function attempt(endpoint: Endpoint | ((anew: boolean) => Promise<Endpoint>), budgetMs = 0, withinMs = Infinity) {
  const read = typeof endpoint === 'function' ? endpoint : async () => endpoint
  return connect({ endpoint: read, applicationName: 'test', budgetMs, withinMs })
}

/** An attempt alone may take longer. */
const AN_ATTEMPT_MS = 10_000

/** As /proc/net/tcp writes it (proc(5)): a socket that was closed may have had the same port. */
const ESTABLISHED = '01'

describe('connect', () => {
  it('fails at once, or after its budget, when the server is down', async () => {
    const database = await createDatabase()
    const endpoint = { ...(await database.endpoint()), port: 1 }
    await expect(attempt(endpoint)).rejects.toMatchObject({
      report: { code: 'DATABASE_UNREACHABLE', message: expect.stringContaining('ECONNREFUSED') },
    })
    const began = performance.now()
    await expect(attempt(endpoint, 700)).rejects.toMatchObject({
      report: { message: expect.stringMatching(/after \d attempts/) },
    })
    expect(performance.now() - began).toBeGreaterThan(200)
  })

  it('cuts off an attempt where the time that there is ends', async () => {
    const endpoint = { ...endpointFromUrl('postgres://a:b@127.0.0.1/c'), port: await startSilentServer() }
    const began = performance.now()
    await expect(attempt(endpoint, 60_000, 1000)).rejects.toMatchObject({
      report: { code: 'DATABASE_UNREACHABLE', message: expect.stringContaining('timeout expired') },
    })
    expect(performance.now() - began).toBeLessThan(AN_ATTEMPT_MS)
  })

  it('does not try again where the time that there is ends, however long it might', async () => {
    const endpoint = { ...endpointFromUrl('postgres://a:b@127.0.0.1/c'), port: 1 }
    const began = performance.now()
    await expect(attempt(endpoint, 60_000, 1000)).rejects.toMatchObject({ report: { code: 'DATABASE_UNREACHABLE' } })
    expect(performance.now() - began).toBeLessThan(AN_ATTEMPT_MS)
  })

  it('does not wait for credentials to be read anew longer than the time that there is', async () => {
    const endpoint = { ...endpointFromUrl('postgres://a:b@127.0.0.1/c'), port: 1 }
    const read = (anew: boolean): Promise<Endpoint> => (anew ? new Promise(() => {}) : Promise.resolve(endpoint))
    await expect(attempt(read, 60_000, 1000)).rejects.toMatchObject({
      report: { code: 'DATABASE_UNREACHABLE', message: expect.stringContaining('ECONNREFUSED') },
    })
  })

  it('fails with a wrong password, without repeating it', async () => {
    const database = await createDatabase()
    const endpoint = { ...(await database.endpoint()), password: 'canary-password' }
    const report = await reportThrownBy(() => attempt(endpoint))
    expect(report).toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      sqlState: '28P01',
      remedy: 'Check the user name and the password for "postgres".',
    })
    expect(JSON.stringify(report)).not.toContain('canary')
  })

  it('reads the credentials anew after a wrong password: a rotation may be in progress', async () => {
    const database = await createDatabase()
    const right = await database.endpoint()
    const connection = await attempt(async (anew) => (anew ? right : { ...right, password: 'old' }), 5000)
    expect((await connection.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await connection.close()
  })

  it.skipIf(process.platform !== 'linux')('asks a server that has gone silent whether it is still there', async () => {
    const database = await createDatabase()
    const connection = await attempt(await database.endpoint())
    const { rows } = await connection.query('SELECT inet_client_port() AS port')
    const local = `:${Number(rows[0]?.port).toString(16).toUpperCase().padStart(4, '0')} `
    const sockets = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((line) => line.trim().split(/\s+/))
    const open = sockets.filter(([, , , state]) => state === ESTABLISHED)
    const [, , , , , timer = ''] = open.find(([, own = '']) => `${own} `.endsWith(local)) ?? []
    await connection.close()

    // proc(5): 02 is the timer of keep-alive, and then come hundredths of a second.
    const [kind, hundredths = ''] = timer.split(':')
    expect(kind).toBe('02')
    expect(parseInt(hundredths, 16)).toBeLessThanOrEqual(3000)
  })

  it('fails when there is no such database', async () => {
    const database = await createDatabase()
    const endpoint = { ...(await database.endpoint()), database: 'nowhere' }
    await expect(attempt(endpoint)).rejects.toMatchObject({
      report: { sqlState: '3D000', remedy: expect.stringContaining('init') },
    })
  })

  it('checks the certificate and its name with verify-full', async () => {
    const { url, authority } = await startTlsServer()
    const trusted = { verify: true, authorities: [authority] }
    const endpoint = { ...endpointFromUrl(url), host: 'localhost' }
    const connection = await attempt({ ...endpoint, tls: trusted })
    expect((await connection.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')).rows).toEqual([
      { ssl: true },
    ])
    await connection.close()
    const refusal = {
      report: { code: 'DATABASE_UNREACHABLE', remedy: expect.stringContaining('certificate is not trusted') },
    }
    await expect(attempt({ ...endpoint, tls: { verify: true } })).rejects.toMatchObject(refusal)
    await expect(attempt({ ...endpoint, host: '127.0.0.1', tls: trusted })).rejects.toMatchObject(refusal)
  })
})
