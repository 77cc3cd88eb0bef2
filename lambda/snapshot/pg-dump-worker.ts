import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { pgDump } from '@electric-sql/pglite-tools/pg_dump'
import { messageOf } from '../errors.ts'
import type { FromPgDump, PgDumpWorkerData } from './pg-dump-protocol.ts'
import { createReadyCounter, takeRequests, takeStartup, welcome } from './wire-messages.ts'

/**
 * Runs pg_dump, compiled to WebAssembly. It expects a connection that answers at once, so this thread sleeps while
 * the main thread, which holds the session, fetches the answer.
 */
async function run(port: MessagePort, { posted, parameters, args }: PgDumpWorkerData): Promise<void> {
  const post = (message: FromPgDump): void => port.postMessage(message)
  try {
    const exchange = createExchange(port, new Int32Array(posted), post)
    const file = await pgDump({ pg: createServer(parameters, exchange), args: [...args] })
    post({ type: 'done', sql: await file.text() })
  } catch (error) {
    post({ type: 'failed', message: messageOf(error) })
  }
}

type Exchange = (request: Uint8Array, answers: number) => Uint8Array

/** Sends a request and sleeps until the whole answer is here. */
function createExchange(port: MessagePort, posted: Int32Array, post: (message: FromPgDump) => void): Exchange {
  const countReady = createReadyCounter()
  let taken = 0
  const nextChunk = (): Uint8Array => {
    while (Atomics.load(posted, 0) === taken) Atomics.wait(posted, 0, taken)
    const received = receiveMessageOnPort(port)
    if (received === undefined) throw new Error('a chunk was announced but not delivered')
    taken += 1
    post({ type: 'taken', bytes: received.message.length })
    return received.message
  }
  return (request, answers) => {
    // A copy: the original lies in pg_dump's own memory.
    post({ type: 'send', bytes: Uint8Array.from(request) })
    const chunks: Uint8Array[] = []
    for (let ready = 0; ready < answers;) {
      const chunk = nextChunk()
      chunks.push(chunk)
      ready += countReady(chunk)
    }
    return Buffer.concat(chunks)
  }
}

type PgDumpServer = Parameters<typeof pgDump>[0]['pg']

/** Stands in for the embedded database that the package expects: these are the four members it uses. */
function createServer(parameters: Readonly<Record<string, string>>, exchange: Exchange): PgDumpServer {
  let received = Buffer.alloc(0)
  let loggedIn = false
  const logIn = (answer: (bytes: Uint8Array) => void): void => {
    const startup = takeStartup(received)
    if (startup === null) return
    received = Buffer.from(startup.rest)
    loggedIn = startup.kind === 'login'
    answer(loggedIn ? welcome(parameters) : Buffer.from('N'))
  }
  const server = {
    query: async () => ({ rows: [{ search_path: '' }] }),
    exec: async () => [],
    execProtocolRawStream: (bytes: Uint8Array, options: { readonly onRawData: (bytes: Uint8Array) => void }): void => {
      received = Buffer.concat([received, bytes])
      if (!loggedIn) return logIn(options.onRawData)
      const { complete, rest, answers } = takeRequests(received)
      received = Buffer.from(rest)
      if (answers > 0) options.onRawData(exchange(complete, answers))
    },
  }
  return server as unknown as PgDumpServer
}

if (parentPort !== null) await run(parentPort, workerData as PgDumpWorkerData)
