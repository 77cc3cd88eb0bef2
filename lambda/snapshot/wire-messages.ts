/** PostgreSQL's wire protocol, as far as a bridge between libpq and an authenticated session must know it. */

const READY_FOR_QUERY = 0x5a
const QUERY = 0x51
const SYNC = 0x53
const TERMINATE = 0x58
const SSL_REQUEST = 80_877_103
const GSS_REQUEST = 80_877_104
const HEADER_BYTES = 5

/** One message of the server: type, length, body. */
export function message(type: string, body: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.write(type, 'latin1')
  header.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([header, body])
}

/** What a server says after a log-in: accepted, its parameters, ready. */
export function welcome(parameters: Readonly<Record<string, string>>): Buffer {
  const status = Object.entries(parameters).map(([name, value]) => message('S', Buffer.from(`${name}\0${value}\0`)))
  return Buffer.concat([
    message('R', Buffer.alloc(4)),
    ...status,
    message('K', Buffer.alloc(8)),
    message('Z', Buffer.from('I')),
  ])
}

/** Counts the ReadyForQuery messages that end in each chunk of a server's stream, however it is cut. */
export function createReadyCounter(): (chunk: Uint8Array) => number {
  let type = 0
  let length = 0
  let headerBytes = 0
  let remaining = 0
  return (chunk) => {
    let ready = 0
    let offset = 0
    while (offset < chunk.length) {
      if (headerBytes < HEADER_BYTES) {
        const byte = chunk[offset] ?? 0
        if (headerBytes === 0) type = byte
        else length = length * 256 + byte
        headerBytes += 1
        offset += 1
        remaining = length - 4
      } else {
        const step = Math.min(remaining, chunk.length - offset)
        remaining -= step
        offset += step
      }
      if (headerBytes === HEADER_BYTES && remaining === 0) {
        if (type === READY_FOR_QUERY) ready += 1
        length = 0
        headerBytes = 0
      }
    }
    return ready
  }
}

/** What libpq sent so far: whole messages up to the last that asks for an answer, and what is left over. */
export interface Requests {
  readonly complete: Uint8Array
  readonly rest: Buffer
  /** How many ReadyForQuery messages answer them. */
  readonly answers: number
}

export function takeRequests(buffer: Buffer): Requests {
  let offset = 0
  let end = 0
  let answers = 0
  while (buffer.length - offset >= HEADER_BYTES) {
    const length = buffer.readInt32BE(offset + 1) + 1
    if (buffer.length - offset < length) break
    const type = buffer[offset]
    offset += length
    // The goodbye is kept back: the session belongs to the driver, which ends it.
    if (type === TERMINATE) return { complete: buffer.subarray(0, end), rest: Buffer.alloc(0), answers }
    if (type === QUERY || type === SYNC) {
      answers += 1
      end = offset
    }
  }
  return { complete: buffer.subarray(0, end), rest: buffer.subarray(end), answers }
}

/** The first packet of a connection: a request for encryption, or the log-in. Null while it is incomplete. */
export function takeStartup(buffer: Buffer): { readonly kind: 'encryption' | 'login'; readonly rest: Buffer } | null {
  if (buffer.length < 8) return null
  const length = buffer.readInt32BE(0)
  if (buffer.length < length) return null
  const code = buffer.readInt32BE(4)
  const kind = code === SSL_REQUEST || code === GSS_REQUEST ? 'encryption' : 'login'
  return { kind, rest: buffer.subarray(length) }
}
