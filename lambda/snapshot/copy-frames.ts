const HEADER_BYTES = 5
const COPY_DATA = 0x64

/** What a server's stream is taken apart into. */
export interface FrameHandler {
  /** A piece of the rows: bytes `start` to `end` of a buffer that may be overwritten afterwards. */
  readonly onRows: (buffer: Buffer, start: number, end: number) => void
  /** Any other message, whole, by its type's character. */
  readonly onMessage: (type: string, body: Buffer) => void
}

/**
 * Takes the answer to a COPY TO STDOUT apart, however it is cut into chunks. PostgreSQL sends a message for each row,
 * which are millions: the rows of a chunk are moved together in place and handed on as one piece. A row is never
 * collected, whatever its length. The chunk belongs to the parser.
 */
export function createFrameParser({ onRows, onMessage }: FrameHandler): (chunk: Buffer) => void {
  const header = Buffer.alloc(HEADER_BYTES)
  let headerBytes = 0
  /** Of the message that the last chunk ended in: 0 when it ended between two, or inside a header. */
  let remaining = 0
  let collected: Buffer[] | null = null

  /** What is left of the message that began in an earlier chunk. */
  function finishMessage(chunk: Buffer, offset: number): number {
    const end = Math.min(offset + remaining, chunk.length)
    remaining -= end - offset
    if (collected === null) {
      if (end > offset) onRows(chunk, offset, end)
    } else {
      // A copy: the chunk's rows are moved about.
      collected.push(Buffer.from(chunk.subarray(offset, end)))
      if (remaining === 0) deliver()
    }
    return end
  }

  function deliver(): void {
    const body = Buffer.concat(collected ?? [])
    collected = null
    onMessage(String.fromCharCode(header[0] ?? 0), body)
  }

  /** The header of a message, which may be cut as well. */
  function startMessage(chunk: Buffer, offset: number): number {
    const taken = Math.min(HEADER_BYTES - headerBytes, chunk.length - offset)
    chunk.copy(header, headerBytes, offset, offset + taken)
    headerBytes += taken
    if (headerBytes === HEADER_BYTES) {
      headerBytes = 0
      remaining = header.readInt32BE(1) - 4
      collected = header[0] === COPY_DATA ? null : []
      if (collected !== null && remaining === 0) deliver()
    }
    return offset + taken
  }

  /** The whole rows from `offset` on, in one piece. */
  function takeRows(chunk: Buffer, offset: number): number {
    const start = offset + HEADER_BYTES
    let end = start
    let next = offset
    while (next + HEADER_BYTES <= chunk.length && chunk[next] === COPY_DATA) {
      const after = next + 1 + chunk.readInt32BE(next + 1)
      if (after > chunk.length) break
      chunk.copyWithin(end, next + HEADER_BYTES, after)
      end += after - next - HEADER_BYTES
      next = after
    }
    if (end > start) onRows(chunk, start, end)
    return next
  }

  return (chunk) => {
    let offset = 0
    while (offset < chunk.length) {
      if (remaining > 0) offset = finishMessage(chunk, offset)
      else if (headerBytes > 0) offset = startMessage(chunk, offset)
      else {
        const next = takeRows(chunk, offset)
        offset = next > offset ? next : startMessage(chunk, offset)
      }
    }
  }
}
