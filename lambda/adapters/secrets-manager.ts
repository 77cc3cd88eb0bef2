import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { LockstepError, messageOf, UNTOUCHED } from '../errors.ts'

/** What a database secret gives; `host`, `port` and `name` are null where it does not have them. */
export interface DatabaseSecret {
  readonly username: string
  readonly password: string
  readonly host: string | null
  readonly port: number | null
  readonly name: string | null
}

/**
 * Reads the current version of a database secret.
 *
 * @throws LockstepError `SECRET_UNREADABLE`.
 */
export async function readDatabaseSecret(client: SecretsManagerClient, secretArn: string): Promise<DatabaseSecret> {
  try {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }))
    return parseDatabaseSecret(secretArn, SecretString)
  } catch (error) {
    throw error instanceof LockstepError ? error : unreadable(secretArn, error)
  }
}

/** The version that a rotation in progress will make the current one; null when there is none, or none yet that can be read. */
export async function readPendingSecret(
  client: SecretsManagerClient,
  secretArn: string,
): Promise<DatabaseSecret | null> {
  try {
    const { SecretString } = await client.send(
      new GetSecretValueCommand({ SecretId: secretArn, VersionStage: 'AWSPENDING' }),
    )
    return parseDatabaseSecret(secretArn, SecretString)
  } catch {
    return null
  }
}

function unreadable(secretArn: string, error: unknown): LockstepError {
  const name = error instanceof Error ? error.name : ''
  const remedies: Readonly<Record<string, string>> = {
    ResourceNotFoundException: 'Check the ARN, and that the secret was not deleted.',
    AccessDeniedException:
      'Grant the function secretsmanager:GetSecretValue on this secret, and kms:Decrypt on its key if it has one of its own.',
    DecryptionFailure: "Grant the function kms:Decrypt on the secret's key.",
  }
  return new LockstepError({
    code: 'SECRET_UNREADABLE',
    message: `The secret ${secretArn} cannot be read: ${name} ${messageOf(error)}.`,
    state: UNTOUCHED,
    remedy:
      remedies[name] ??
      'Check that the function reaches Secrets Manager: in an isolated subnet it needs the VPC endpoint com.amazonaws.<region>.secretsmanager.',
    cause: error,
  })
}

/**
 * Parses the JSON that RDS and its rotation keep in a secret. A value never reaches an error.
 *
 * @throws LockstepError `SECRET_UNREADABLE` naming the missing or malformed key.
 */
export function parseDatabaseSecret(secretArn: string, text: string | undefined): DatabaseSecret {
  const fields = parseObject(secretArn, text)
  const engine = fields.engine
  if (typeof engine === 'string' && !/postgres/i.test(engine)) {
    throw malformed(secretArn, `is for the engine "${engine}", not for PostgreSQL`)
  }
  return {
    username: requiredText(fields, 'username', secretArn),
    password: requiredText(fields, 'password', secretArn),
    host: optionalText(fields, 'host', secretArn),
    port: portOf(fields, secretArn),
    name: optionalText(fields, 'dbname', secretArn),
  }
}

type Fields = Readonly<Record<string, unknown>>

function parseObject(secretArn: string, text: string | undefined): Fields {
  if (text === undefined) throw malformed(secretArn, 'is binary, not a JSON text')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own message quotes the text, which is the secret.
    throw malformed(secretArn, 'is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(secretArn, 'is not a JSON object')
  return value as Fields
}

function optionalText(fields: Fields, key: string, secretArn: string): string | null {
  const value = fields[key]
  if (value === undefined || value === null || value === '') return null
  if (typeof value !== 'string') throw malformed(secretArn, `has a key "${key}" that is not a text`)
  return value
}

function requiredText(fields: Fields, key: string, secretArn: string): string {
  const value = optionalText(fields, key, secretArn)
  if (value === null)
    throw malformed(secretArn, `has no key "${key}" (it has: ${Object.keys(fields).join(', ') || 'none'})`)
  return value
}

function portOf(fields: Fields, secretArn: string): number | null {
  const value = fields.port
  if (value === undefined || value === null || value === '') return null
  const port = Number(value)
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw malformed(secretArn, 'has a key "port" that is no port number')
  return port
}

export function malformed(secretArn: string, problem: string): LockstepError {
  return new LockstepError({
    code: 'SECRET_UNREADABLE',
    message: `The secret ${secretArn} ${problem}.`,
    state: UNTOUCHED,
    remedy:
      'Give a secret in the form that RDS makes: {"engine":"postgres","username":…,"password":…,"host":…,"port":5432,"dbname":…}; host, port and name may also be set on the construct.',
  })
}
