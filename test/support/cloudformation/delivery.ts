import type { LambdaService } from '../lambda/service.ts'
import { cancelled, noAnswer, readAnswer, type ResourceEvent, type ResourceResponse } from './event.ts'
import type { ResponseServer } from './response-server.ts'

/** How often an event reaches its function. Lambda's asynchronous invocation promises no more than "at least once". */
export type DeliveryMode = 'once' | 'twice-in-a-row' | 'twice-at-once'

/** How an operation sends its events. */
export interface Manner {
  /** @default 'once' */
  readonly mode?: DeliveryMode
  /**
   * Ends the wait for the answer; the function goes on. CloudFormation does not wait for a custom resource once another
   * resource has failed ("Resource creation cancelled"), and takes it back at once: aws-cdk issue 26139.
   *
   * @default never
   */
  readonly signal?: AbortSignal
}

export interface Delivery {
  /** Every response so far, in the order in which they came. Of an event delivered twice there are two. */
  readonly responses: () => readonly ResourceResponse[]
  /** Sends the event; gives the response that CloudFormation goes by, the first. */
  readonly send: (event: ResourceEvent, manner?: Manner) => Promise<ResourceResponse>
  /** Waits until no event is in work any more. */
  readonly settled: () => Promise<void>
}

export interface DeliverySettings {
  readonly lambda: LambdaService
  readonly server: ResponseServer
  /** Resolves when nothing beside the functions can answer the event any more, such as a state machine that polls. */
  readonly othersSettled: (event: ResourceEvent) => Promise<void>
}

/** Invokes the functions behind custom resources and waits for what they PUT to the response URL. */
export function createDelivery({ lambda, server, othersSettled }: DeliverySettings): Delivery {
  const responses: ResourceResponse[] = []
  const inWork = new Set<Promise<void>>()
  const invoke = (event: ResourceEvent): Promise<void> => {
    const ended = lambda
      .invokeAsynchronously(event.ServiceToken, event)
      .then(() => othersSettled(event))
      .finally(() => inWork.delete(ended))
    inWork.add(ended)
    ended.catch(() => {})
    return ended
  }
  const receive = async (
    event: ResourceEvent,
    index: number,
    ended: Promise<unknown>,
    signal = new AbortController().signal,
  ): Promise<ResourceResponse> => {
    const end = new AbortController()
    const serviceTimeout = setTimeout(() => end.abort(), serviceTimeoutMs(event))
    // Nothing else can answer once the function has ended for good, so there is no need to wait an hour for it.
    ended.finally(() => end.abort()).catch(() => {})
    const response = await server
      .answer(event.RequestId, index, AbortSignal.any([end.signal, signal]))
      .then((body) => readAnswer(event, body))
      .catch(() => (signal.aborted ? cancelled(event) : noAnswer(event)))
    clearTimeout(serviceTimeout)
    if (response.status === 'SUCCESS' || response.status === 'FAILED') await ended
    responses.push(response)
    return response
  }
  const send = async (event: ResourceEvent, { mode = 'once', signal }: Manner = {}): Promise<ResourceResponse> => {
    const index = server.answers(event.RequestId).length
    if (mode === 'twice-at-once') {
      const ended = Promise.all([invoke(event), invoke(event)])
      const both = [receive(event, index, ended, signal), receive(event, index + 1, ended, signal)] as const
      const [first] = await Promise.all(both)
      return first
    }
    const first = await receive(event, index, invoke(event), signal)
    if (mode === 'twice-in-a-row') await receive(event, index + 1, invoke(event), signal)
    return first
  }
  const settled = async (): Promise<void> => void (await Promise.allSettled(inWork))
  return { responses: () => responses, send, settled }
}

function serviceTimeoutMs({ ResourceProperties: properties }: ResourceEvent): number {
  return Number(properties['ServiceTimeout'] ?? 3600) * 1000
}
