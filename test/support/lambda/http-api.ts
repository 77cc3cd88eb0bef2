import type { HttpAnswer, HttpReply, HttpRequest } from '../http-server.ts'
import { functionArn, functionName, type FunctionDefinition } from './definition.ts'
import { PAYLOAD_LIMIT_BYTES } from './failures.ts'
import type { Invocation } from './invocation.ts'

/** What the HTTP interface needs of the service. */
export interface LambdaBackend {
  readonly definition: (nameOrArn: string) => FunctionDefinition | undefined
  readonly invoke: (nameOrArn: string, event: unknown) => Promise<Invocation>
  readonly invokeAsynchronously: (nameOrArn: string, event: unknown) => Promise<void>
  readonly dropsConnection: (name: string) => boolean
}

const ROUTE = /^\/2015-03-31\/functions\/([^/]+)(\/invocations|\/configuration)?$/

/** Lambda's REST interface: Invoke, GetFunction and GetFunctionConfiguration. */
export async function answerApiRequest(request: HttpRequest, backend: LambdaBackend): Promise<HttpAnswer> {
  const [, encoded, action] = ROUTE.exec(request.path) ?? []
  if (encoded === undefined) return failure(404, 'UnknownOperationException', request.path)
  const name = functionName(decodeURIComponent(encoded))
  const definition = backend.definition(name)
  if (definition === undefined) {
    return failure(404, 'ResourceNotFoundException', `Function not found: ${functionArn(name)}`)
  }
  if (action === '/invocations') return invoke(request, name, backend)
  const configuration = configurationOf(definition)
  return reply(200, {}, JSON.stringify(action === undefined ? { Configuration: configuration } : configuration))
}

async function invoke(request: HttpRequest, name: string, backend: LambdaBackend): Promise<HttpAnswer> {
  const text = request.body.toString('utf8')
  if (request.body.length > PAYLOAD_LIMIT_BYTES) {
    return failure(413, 'RequestTooLargeException', `Request must be smaller than ${PAYLOAD_LIMIT_BYTES} bytes`)
  }
  let event: unknown
  try {
    event = text === '' ? {} : JSON.parse(text)
  } catch {
    return failure(400, 'InvalidRequestContentException', 'Could not parse request body into json')
  }
  if (request.headers['x-amz-invocation-type'] === 'Event') {
    backend.invokeAsynchronously(name, event).catch(() => {})
    return reply(202, {}, '')
  }
  const done = await backend.invoke(name, event)
  if (backend.dropsConnection(name)) return 'drop'
  const headers = {
    'x-amzn-requestid': done.requestId,
    'x-amz-executed-version': '$LATEST',
    ...(done.functionError === undefined ? {} : { 'x-amz-function-error': done.functionError }),
  }
  return reply(200, headers, done.payload)
}

function configurationOf(definition: FunctionDefinition): object {
  return {
    FunctionName: definition.name,
    FunctionArn: functionArn(definition.name),
    Runtime: 'nodejs24.x',
    Handler: definition.handler,
    Timeout: definition.timeoutSeconds,
    MemorySize: definition.memoryMb,
    Version: '$LATEST',
    State: 'Active',
    LastUpdateStatus: 'Successful',
  }
}

function failure(status: number, type: string, message: string): HttpReply {
  return reply(status, { 'x-amzn-errortype': type }, JSON.stringify({ Type: 'User', Message: message }))
}

function reply(status: number, headers: Readonly<Record<string, string>>, body: string): HttpReply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body }
}
