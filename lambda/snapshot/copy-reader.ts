import pg from 'pg'
import type { ChunkSink } from './chunk-sink.ts'
import { createFrameParser } from './copy-frames.ts'
import { socketOf } from './session.ts'
import { message } from './wire-messages.ts'

/** What happens, in this order, for each statement. */
export interface CopyEvents {
  /** Before its first row. */
  readonly onBegin?: (index: number) => void
  readonly onEnd: (index: number, rows: number) => void
}

/**
 * Runs `COPY … TO STDOUT` statements in one round trip and appends their rows to the sink. It reads the session's
 * socket itself: the driver's stream costs more for each row than PostgreSQL does. The session must be idle, and is
 * handed back to the driver when the server is ready again, also after the server's refusal.
 *
 * @throws pg.DatabaseError of the server; Error when the connection is lost.
 */
export function readCopies(
  client: pg.Client,
  statements: readonly string[],
  sink: ChunkSink,
  events: CopyEvents,
): Promise<void> {
  const socket = socketOf(client)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const driver = socket.listeners('data') as ((chunk: Buffer) => void)[]
  let index = 0
  let failure: Error | null = null

  const parse = createFrameParser({
    onRows: sink.append,
    onMessage: (type, body) => {
      if (type === 'H') events.onBegin?.(index)
      else if (type === 'C') events.onEnd(index++, rowsOf(body))
      else if (type === 'E') failure ??= errorOf(body)
      else if (type === 'Z') finish(failure)
    },
  })
  const onData = (chunk: Buffer): void => {
    try {
      parse(chunk)
    } catch (error) {
      socket.destroy()
      finish(error instanceof Error ? error : new Error(String(error)))
    }
    release(chunk)
    if (!sink.isFull()) return
    socket.pause()
    sink.whenDrained(() => socket.resume())
  }
  // What the server said last explains why it hung up.
  const onClose = (): void => finish(failure ?? new Error('the connection was lost.'))
  function finish(error: Error | null): void {
    socket.off('data', onData)
    socket.off('close', onClose)
    for (const listener of driver) socket.on('data', listener)
    if (error === null) resolve()
    else reject(error)
  }

  socket.removeAllListeners('data')
  socket.on('data', onData)
  socket.once('close', onClose)
  // The socket may have closed before anybody listened.
  if (socket.destroyed) onClose()
  else socket.write(message('Q', Buffer.from(`${statements.join(';\n')}\0`)))
  return promise
}

/**
 * Gives the memory of a chunk back at once. Left to the garbage collector, a gigabyte of chunks costs it a hundred
 * collections, and the process as many megabytes.
 */
function release({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}

/** `COPY 42`. */
function rowsOf(commandTag: Buffer): number {
  return Number(/^COPY (\d+)/.exec(commandTag.toString('latin1'))?.[1] ?? 0)
}

/** As the driver makes it: fields of one character and a text, each ended by a zero. */
function errorOf(body: Buffer): pg.DatabaseError {
  const fields = new Map(
    body
      .toString('utf8')
      .split('\0')
      .filter((field) => field !== '')
      .map((field) => [field.charAt(0), field.slice(1)]),
  )
  const error = new pg.DatabaseError(fields.get('M') ?? 'the server refused', body.length, 'error')
  error.severity = fields.get('V') ?? fields.get('S')
  error.code = fields.get('C')
  error.detail = fields.get('D')
  error.hint = fields.get('H')
  error.where = fields.get('W')
  return error
}
