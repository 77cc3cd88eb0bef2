/** What the server has answered to one run of pg_dump, for another in the same transaction: it asks much of it again. */
export interface PgDumpMemory {
  /** The whole answer to these bytes; null when it must be asked for. */
  readonly recall: (request: Uint8Array) => Buffer | null
  /** Takes down what is answered to the request, until the next one. */
  readonly listen: (request: Uint8Array) => void
  readonly hear: (chunk: Uint8Array) => void
  /** Nothing more comes: what was heard of the last answer may not be all of it. */
  readonly stop: () => void
}

const MAX_BYTES = 16 * 1024 * 1024

export function createPgDumpMemory(): PgDumpMemory {
  const answers = new Map<string, Buffer>()
  let listening: { readonly key: string; readonly chunks: Buffer[] } | null = null
  let bytes = 0

  function keep(): void {
    if (listening !== null) answers.set(listening.key, Buffer.concat(listening.chunks))
    listening = null
  }

  return {
    // The next request comes once the answer to the one before is whole.
    recall: (request) => {
      keep()
      const key = keyOf(request)
      return key === null ? null : (answers.get(key) ?? null)
    },
    listen: (request) => {
      const key = keyOf(request)
      listening = key === null || bytes >= MAX_BYTES ? null : { key, chunks: [] }
    },
    hear: (chunk) => {
      if (listening === null) return
      bytes += chunk.length
      if (bytes < MAX_BYTES) listening.chunks.push(Buffer.from(chunk))
      else listening = null
    },
    stop: () => {
      listening = null
    },
  }
}

const QUERY = 0x51
const HEADER_BYTES = 5
/** One statement that only reads, or runs what pg_dump has prepared to read. */
const READS = /^\s*(?:SELECT|WITH|EXECUTE)\b/i
const DOES_MORE = /set_config|pg_export_snapshot|nextval|setval|\blo_/i

/** Null: the answer depends on more than the bytes, or does more than answer. */
function keyOf(request: Uint8Array): string | null {
  const buffer = Buffer.from(request.buffer, request.byteOffset, request.byteLength)
  if (buffer[0] !== QUERY || buffer.length !== buffer.readInt32BE(1) + 1) return null
  const text = buffer.toString('latin1', HEADER_BYTES, buffer.length - 1)
  return READS.test(text) && !DOES_MORE.test(text) ? text : null
}
