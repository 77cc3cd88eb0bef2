import { randomUUID } from 'node:crypto'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { silentLog } from '../../../lambda/log.ts'
import { arn } from '../../support/aws.ts'
import { createDatabase, onServer } from '../../support/database.ts'
import { lockstepFor } from '../../support/lockstep.ts'
import { reportThrownBy } from '../../support/report.ts'
import { startSecretsManager } from '../../support/secrets-manager.ts'

const SECRET = arn('secretsmanager', 'secret:shop/database-AbCdEf')

/** A role whose password in the database is `canary-new`, and a secret that still says `canary-old`. */
async function inRotation(connectTimeoutMs: number) {
  const database = await createDatabase()
  const role = `role_${randomUUID().slice(0, 8)}`
  await onServer(`CREATE ROLE ${role} LOGIN PASSWORD 'canary-new'`)
  onTestFinished(() => onServer(`DROP ROLE ${role}`))
  const secrets = await startSecretsManager()
  onTestFinished(() => secrets.stop())
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', secrets.endpoint)
  vi.stubEnv('AWS_REGION', 'eu-central-1')
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'a')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'b')
  onTestFinished(() => void vi.unstubAllEnvs())
  const { host, port } = await database.endpoint()
  const value = (password: string): string =>
    JSON.stringify({ engine: 'postgres', username: role, password, host, port, dbname: database.name })
  secrets.put(SECRET, value('canary-old'))
  const told = {
    secretArn: SECRET,
    host: null,
    port: null,
    name: null,
    tls: 'disable',
    certificateAuthority: null,
  } as const
  const config = { database: { kind: 'secret', ...told }, connectTimeoutMs } as const
  const { connect } = lockstepFor(database.url, 'migrations', config, silentLog)
  const userOf = async (): Promise<unknown> => {
    const connection = await connect()
    const { rows } = await connection.query('SELECT current_user AS name')
    await connection.close()
    return rows[0]?.name
  }
  return { secrets, value, role, userOf }
}

describe('a secret in rotation', () => {
  it('gives the password that is about to become the current one', async () => {
    const { secrets, value, role, userOf } = await inRotation(5000)
    secrets.putPending(SECRET, value('canary-new'))
    const began = performance.now()
    expect(await userOf()).toBe(role)
    expect(performance.now() - began).toBeLessThan(2000)
  })

  it('is read again until the new version is the current one', async () => {
    const { secrets, value, role, userOf } = await inRotation(10_000)
    secrets.putPending(SECRET, value('canary-not-set-yet'))
    setTimeout(() => secrets.put(SECRET, value('canary-new')), 1500)
    expect(await userOf()).toBe(role)
  })

  it('fails within the time that connecting may take when its password stays wrong', async () => {
    const { userOf } = await inRotation(1500)
    const began = performance.now()
    const report = await reportThrownBy(userOf)
    expect(performance.now() - began).toBeLessThan(3000)
    expect(report).toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      sqlState: '28P01',
      message: expect.stringMatching(/after \d+ attempts/),
    })
    expect(JSON.stringify(report)).not.toContain('canary')
  })
})
