import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { expect, onTestFinished, test } from 'vitest'
import { arn } from '../../support/aws.ts'
import { startSecretsManager, type SecretsManager } from '../../support/secrets-manager.ts'

const SECRET = arn('secretsmanager', 'secret:shop/database-AbCdEf')

interface Setup {
  readonly secrets: SecretsManager
  readonly read: (id: string, signal?: AbortSignal) => Promise<string | undefined>
}

async function setup(): Promise<Setup> {
  const secrets = await startSecretsManager()
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
  const client = new SecretsManagerClient({ endpoint: secrets.endpoint, region: 'eu-central-1', credentials })
  onTestFinished(async () => {
    client.destroy()
    await secrets.stop()
  })
  const read = async (SecretId: string, abortSignal?: AbortSignal): Promise<string | undefined> => {
    const command = new GetSecretValueCommand({ SecretId })
    return (await client.send(command, abortSignal === undefined ? {} : { abortSignal })).SecretString
  }
  return { secrets, read }
}

test('a secret is read by its ARN and by its name, with its last value', async () => {
  const { secrets, read } = await setup()
  secrets.put(SECRET, 'old')
  secrets.put(SECRET, 'new')
  expect(await read(SECRET)).toBe('new')
  expect(await read('shop/database')).toBe('new')
})

test('a secret that is not there and one that is refused are told apart', async () => {
  const { secrets, read } = await setup()
  await expect(read(SECRET)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  secrets.put(SECRET, 'value')
  secrets.deny(SECRET)
  await expect(read(SECRET)).rejects.toMatchObject({ name: 'AccessDeniedException' })
})

test('it can be as silent as a missing VPC endpoint', async () => {
  const { secrets, read } = await setup()
  secrets.put(SECRET, 'value')
  secrets.hang(true)
  await expect(read(SECRET, AbortSignal.timeout(300))).rejects.toMatchObject({ name: 'AbortError' })
  secrets.hang(false)
  expect(await read(SECRET)).toBe('value')
})
