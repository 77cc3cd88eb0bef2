import { EventEmitter, once } from 'node:events'
import { AWS } from '../aws.ts'
import { startHttpServer } from '../http-server.ts'
import { isAddressed } from './event.ts'

/** Takes the answers that custom resources PUT to their pre-signed URLs; of another request's, nothing becomes. */
export interface ResponseServer {
  readonly endpoint: string
  /** The pre-signed URL for an event, as CloudFormation would make it. */
  readonly urlFor: (stackId: string, logicalId: string, requestId: string) => string
  /** The answer with this number (0 is the first) to a request; waits for it. */
  readonly answer: (requestId: string, index: number, signal: AbortSignal) => Promise<string>
  /** All answers to a request so far. */
  readonly answers: (requestId: string) => readonly string[]
  /** The next `count` answers are taken, and lost. */
  readonly lose: (count: number) => void
  readonly stop: () => Promise<void>
}

export async function startResponseServer(): Promise<ResponseServer> {
  const received = new Map<string, readonly string[]>()
  const arrivals = new EventEmitter().setMaxListeners(0)
  const answers = (requestId: string): readonly string[] => received.get(requestId) ?? []
  let toBeLost = 0
  const server = await startHttpServer(async ({ method, path, body }) => {
    if (method !== 'PUT') return { status: 403 }
    const [StackId = '', , RequestId = ''] = decodeURIComponent(path).slice(1).split('|')
    const answer = body.toString('utf8')
    if (toBeLost > 0) toBeLost -= 1
    else if (isAddressed(answer, { StackId, RequestId })) {
      received.set(RequestId, [...answers(RequestId), answer])
      arrivals.emit(RequestId)
    }
    return { status: 200 }
  })
  return {
    endpoint: server.endpoint,
    urlFor: (stackId, logicalId, requestId) => {
      const host = `cloudformation-custom-resource-response-${AWS.region.replaceAll('-', '')}.s3.${AWS.region}.amazonaws.com`
      const key = encodeURIComponent(`${stackId}|${logicalId}|${requestId}`)
      return `https://${host}/${key}?X-Amz-Expires=7200&X-Amz-Signature=0123456789abcdef`
    },
    answer: async (requestId, index, signal) => {
      for (;;) {
        const answer = answers(requestId)[index]
        if (answer !== undefined) return answer
        await once(arrivals, requestId, { signal })
      }
    },
    answers,
    lose: (count) => void (toBeLost += count),
    stop: server.stop,
  }
}
