import { randomUUID } from 'node:crypto'
import type { HttpReply, HttpRequest } from '../http-server.ts'

export interface StartRequest {
  readonly stateMachineArn: string
  readonly name: string
  readonly input: unknown
}

/** One run of a state machine, as the service describes it. */
export interface DescribedExecution {
  readonly arn: string
  readonly stateMachineArn: string
  readonly input: unknown
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED' | 'TIMED_OUT'
  readonly error?: string
  readonly cause?: string
}

/** What the HTTP interface needs of the service. */
export interface StateMachineBackend {
  readonly exists: (stateMachineArn: string) => boolean
  /** Gives the execution's ARN; null when there is one of this name. */
  readonly start: (request: StartRequest) => string | null
  readonly describe: (executionArn: string) => DescribedExecution | undefined
  readonly stop: (executionArn: string) => void
}

type Body = Readonly<Record<string, unknown>>

/** Step Functions' AWS JSON 1.0 interface, of which executions are known. */
export function answerExecutionRequest(request: HttpRequest, backend: StateMachineBackend): HttpReply {
  const target = String(request.headers['x-amz-target'])
  const answer = ANSWERS[target]
  if (answer === undefined) return failure('UnknownOperationException', target)
  return answer(JSON.parse(request.body.toString('utf8')) as Body, backend)
}

const ANSWERS: Readonly<Record<string, (body: Body, backend: StateMachineBackend) => HttpReply>> = {
  'AWSStepFunctions.StartExecution': (body, backend) => {
    const stateMachineArn = String(body['stateMachineArn'])
    if (!backend.exists(stateMachineArn)) {
      return failure('StateMachineDoesNotExist', `State Machine Does Not Exist: '${stateMachineArn}'`)
    }
    const input = parse(typeof body['input'] === 'string' ? body['input'] : '{}')
    if (input === undefined) return failure('InvalidExecutionInput', 'Invalid State Machine Execution Input')
    const name = typeof body['name'] === 'string' ? body['name'] : randomUUID()
    const executionArn = backend.start({ stateMachineArn, name, input })
    if (executionArn === null) return failure('ExecutionAlreadyExists', `Execution Already Exists: '${name}'`)
    return reply(200, { executionArn, startDate: Date.now() / 1000 })
  },
  'AWSStepFunctions.DescribeExecution': (body, { describe }) => {
    const found = describe(String(body['executionArn']))
    if (found === undefined) return missing(body)
    const { arn: executionArn, input, ...rest } = found
    return reply(200, { executionArn, ...rest, input: JSON.stringify(input), startDate: Date.now() / 1000 })
  },
  'AWSStepFunctions.StopExecution': (body, { describe, stop }) => {
    const executionArn = String(body['executionArn'])
    if (describe(executionArn) === undefined) return missing(body)
    stop(executionArn)
    return reply(200, { stopDate: Date.now() / 1000 })
  },
}

function missing(body: Body): HttpReply {
  return failure('ExecutionDoesNotExist', `Execution Does Not Exist: '${String(body['executionArn'])}'`)
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
