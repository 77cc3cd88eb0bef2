import type { Writable } from 'node:stream'

/** Few, large writes: each is a job for the compressor's thread. */
const CHUNK_BYTES = 256 * 1024
/** One is filled while others wait for the compressor. */
const MAX_WAITING = 3

/** Collects pieces of rows into large chunks for a stream. Its memory is that of {@link MAX_WAITING} chunks and one. */
export interface ChunkSink {
  readonly append: (source: Uint8Array, start: number, end: number) => void
  readonly appendText: (text: string) => void
  /** So far. */
  readonly bytes: () => number
  /** The stream does not keep up: nothing should be appended until `whenDrained` has called back. */
  readonly isFull: () => boolean
  readonly whenDrained: (resume: () => void) => void
  /** Hands on what is left, and ends the stream. */
  readonly end: () => void
}

/** @param onBytes Told how many more bytes there are, a chunk at a time. */
export function createChunkSink(target: Writable, onBytes: (bytes: number) => void): ChunkSink {
  const spare: Buffer[] = []
  let chunk: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  let used = 0
  let total = 0
  let waiting = 0
  let resume: (() => void) | null = null

  function flush(): void {
    const full = chunk
    onBytes(used)
    waiting += 1
    target.write(full.subarray(0, used), () => {
      waiting -= 1
      spare.push(full)
      const wake = resume
      resume = null
      wake?.()
    })
    chunk = spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES)
    used = 0
  }

  function append(source: Uint8Array, start: number, end: number): void {
    total += end - start
    for (let from = start; from < end;) {
      const to = Math.min(end, from + CHUNK_BYTES - used)
      chunk.set(source.subarray(from, to), used)
      used += to - from
      from = to
      if (used === CHUNK_BYTES) flush()
    }
  }

  return {
    append,
    appendText: (text) => {
      const bytes = Buffer.from(text)
      append(bytes, 0, bytes.length)
    },
    bytes: () => total,
    isFull: () => waiting >= MAX_WAITING,
    whenDrained: (wake) => void (resume = wake),
    end: () => {
      if (used > 0) flush()
      target.end()
    },
  }
}
