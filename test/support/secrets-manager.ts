import { randomUUID } from 'node:crypto'
import { AWS } from './aws.ts'
import { startHttpServer, type HttpAnswer, type HttpReply, type HttpRequest } from './http-server.ts'

/** Secrets Manager as far as GetSecretValue goes. */
export interface SecretsManager {
  readonly endpoint: string
  /** Makes the secret readable, or gives it a new value. */
  readonly put: (arn: string, value: string) => void
  /** Gives it a new value as soon as it has been read once more: what a rotation at that moment does. */
  readonly putAfterRead: (arn: string, value: string) => void
  /** Gives it a value with the stage AWSPENDING, as a rotation does before it sets the password. */
  readonly putPending: (arn: string, value: string) => void
  /** Ends the rotation: the pending value is the current one. */
  readonly promote: (arn: string) => void
  /** From now on reading this secret is refused; `put` allows it again. */
  readonly deny: (arn: string) => void
  /** While hanging, no request is answered: what a missing VPC endpoint looks like. */
  readonly hang: (hanging: boolean) => void
  readonly stop: () => Promise<void>
}

interface Query {
  readonly SecretId: string
  readonly VersionStage?: string
}

interface Secret {
  readonly versionId: string
  readonly value: string
}

const DENIED = Symbol('denied')

/** Starts an empty Secrets Manager over HTTP. */
export async function startSecretsManager(): Promise<SecretsManager> {
  const secrets = new Map<string, Secret | typeof DENIED>()
  const pending = new Map<string, Secret>()
  const due = new Map<string, string>()
  const put = (arn: string, value: string): void => void secrets.set(arn, { versionId: randomUUID(), value })
  let hanging = false
  const answer = async (request: HttpRequest): Promise<HttpAnswer> => {
    if (hanging) return 'hang'
    if (request.headers['x-amz-target'] !== 'secretsmanager.GetSecretValue') {
      return failure('UnknownOperationException', `Not simulated: ${String(request.headers['x-amz-target'])}`)
    }
    const { SecretId: id, VersionStage: stage = 'AWSCURRENT' } = JSON.parse(request.body.toString('utf8')) as Query
    const found = valueOf(id, stage === 'AWSPENDING' ? pending : secrets, stage)
    for (const [arn, value] of due) put(arn, value)
    due.clear()
    return found
  }
  const server = await startHttpServer(answer)
  return {
    endpoint: server.endpoint,
    put,
    putAfterRead: (arn, value) => void due.set(arn, value),
    putPending: (arn, value) => void pending.set(arn, { versionId: randomUUID(), value }),
    promote: (arn) => {
      const next = pending.get(arn)
      if (next !== undefined) secrets.set(arn, next)
    },
    deny: (arn) => void secrets.set(arn, DENIED),
    hang: (value) => void (hanging = value),
    stop: server.stop,
  }
}

function valueOf(id: string, secrets: ReadonlyMap<string, Secret | typeof DENIED>, stage: string): HttpReply {
  const arn = [...secrets.keys()].find((arn) => arn === id || nameOf(arn) === id)
  const secret = arn === undefined ? undefined : secrets.get(arn)
  if (arn === undefined || secret === undefined) {
    return failure('ResourceNotFoundException', "Secrets Manager can't find the specified secret.")
  }
  if (secret === DENIED) {
    return failure(
      'AccessDeniedException',
      `User: arn:aws:sts::${AWS.account}:assumed-role/function/session is not authorized to perform: secretsmanager:GetSecretValue on resource: ${arn} because no identity-based policy allows the secretsmanager:GetSecretValue action`,
    )
  }
  const body = { ARN: arn, Name: nameOf(arn), SecretString: secret.value, VersionId: secret.versionId }
  return reply(200, { ...body, VersionStages: [stage], CreatedDate: Date.now() / 1000 })
}

/** `arn:…:secret:name-AbCdEf` without what Secrets Manager appends to the name. */
function nameOf(arn: string): string {
  return (arn.split(':').at(-1) ?? arn).replace(/-[A-Za-z0-9]{6}$/, '')
}

function failure(type: string, message: string): HttpReply {
  return reply(400, { __type: type, Message: message, message })
}

function reply(status: number, body: object): HttpReply {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() }
  return { status, headers, body: JSON.stringify(body) }
}
