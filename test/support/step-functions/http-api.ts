import { randomUUID } from 'node:crypto'
import type { HttpReply, HttpRequest } from '../http-server.ts'

export interface StartRequest {
  readonly stateMachineArn: string
  readonly name: string
  readonly input: unknown
}

/** What the HTTP interface needs of the service. */
export interface StateMachineBackend {
  readonly exists: (stateMachineArn: string) => boolean
  /** Gives the execution's ARN. */
  readonly start: (request: StartRequest) => string
}

/** Step Functions' AWS JSON 1.0 interface, of which StartExecution is known. */
export function answerStartExecution(request: HttpRequest, backend: StateMachineBackend): HttpReply {
  const target = String(request.headers['x-amz-target'])
  if (target !== 'AWSStepFunctions.StartExecution') return failure('UnknownOperationException', target)
  const body = JSON.parse(request.body.toString('utf8')) as Readonly<Record<string, unknown>>
  const stateMachineArn = String(body['stateMachineArn'])
  if (!backend.exists(stateMachineArn)) {
    return failure('StateMachineDoesNotExist', `State Machine Does Not Exist: '${stateMachineArn}'`)
  }
  const input = parse(typeof body['input'] === 'string' ? body['input'] : '{}')
  if (input === undefined) return failure('InvalidExecutionInput', 'Invalid State Machine Execution Input')
  const name = typeof body['name'] === 'string' ? body['name'] : randomUUID()
  const executionArn = backend.start({ stateMachineArn, name, input })
  return reply(200, { executionArn, startDate: Date.now() / 1000 })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function failure(type: string, message: string): HttpReply {
  return reply(400, { __type: `com.amazonaws.swf.service.v2.model#${type}`, message })
}

function reply(status: number, body: object): HttpReply {
  const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': randomUUID() }
  return { status, headers, body: JSON.stringify(body) }
}
