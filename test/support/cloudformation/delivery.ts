import type { LambdaService } from '../lambda/service.ts'
import { noAnswer, readAnswer, type ResourceEvent, type ResourceResponse } from './event.ts'
import type { ResponseServer } from './response-server.ts'

/** How often an event reaches its function. Lambda's asynchronous invocation promises no more than "at least once". */
export type DeliveryMode = 'once' | 'twice-in-a-row' | 'twice-at-once'

export interface Delivery {
  /** Every response so far, in the order of their events. Of an event delivered twice there are two. */
  readonly responses: () => readonly ResourceResponse[]
  /** Sends the event; gives the response that CloudFormation goes by, the first. */
  readonly send: (event: ResourceEvent, mode?: DeliveryMode) => Promise<ResourceResponse>
}

/** A function that fails asynchronously is invoked twice again. */
const ATTEMPTS = 3

/** Invokes the functions behind custom resources and waits for what they PUT to the response URL. */
export function createDelivery(lambda: LambdaService, server: ResponseServer): Delivery {
  const responses: ResourceResponse[] = []
  const receive = async (event: ResourceEvent, index: number, ended: Promise<unknown>): Promise<ResourceResponse> => {
    const end = new AbortController()
    const serviceTimeout = setTimeout(() => end.abort(), serviceTimeoutMs(event))
    // Nothing else can answer once the function has ended for good, so there is no need to wait an hour for it.
    ended.finally(() => end.abort()).catch(() => {})
    const response = await server
      .answer(event.RequestId, index, end.signal)
      .then((body) => readAnswer(event, body))
      .catch(() => noAnswer(event))
    clearTimeout(serviceTimeout)
    if (response.status !== 'TIMEOUT') await ended
    responses.push(response)
    return response
  }
  const send = async (event: ResourceEvent, mode: DeliveryMode = 'once'): Promise<ResourceResponse> => {
    const index = server.answers(event.RequestId).length
    const invoke = (): Promise<void> => invokeWithRetries(lambda, event)
    if (mode === 'twice-at-once') {
      const ended = Promise.all([invoke(), invoke()])
      const [first] = await Promise.all([receive(event, index, ended), receive(event, index + 1, ended)])
      return first
    }
    const first = await receive(event, index, invoke())
    if (mode === 'twice-in-a-row') await receive(event, index + 1, invoke())
    return first
  }
  return { responses: () => responses, send }
}

function serviceTimeoutMs({ ResourceProperties: properties }: ResourceEvent): number {
  return Number(properties['ServiceTimeout'] ?? 3600) * 1000
}

async function invokeWithRetries(lambda: LambdaService, event: ResourceEvent): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const { functionError } = await lambda.invoke(event.ServiceToken, event)
    if (functionError === undefined) return
  }
}
