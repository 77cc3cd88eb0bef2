import { Fault } from './fault.ts'

/** Reads a stream forward, range by range, holding no more than one chunk. */
export interface ByteCursor {
  /** Leaves out what lies before `position`, in bytes from the beginning. */
  readonly skipTo: (position: number) => Promise<void>
  /** The next bytes; `Infinity`: all that is left. They must be read before anything else is done. */
  readonly take: (bytes: number) => AsyncGenerator<Buffer, void, undefined>
  /** Reads the rest and forgets it. */
  readonly drain: () => Promise<void>
}

/** @param name What is read, for errors. */
export function createByteCursor(source: AsyncIterable<Buffer>, name: string): ByteCursor {
  const chunks = source[Symbol.asyncIterator]()
  let chunk: Buffer = Buffer.alloc(0)
  let position = 0
  async function* take(bytes: number): AsyncGenerator<Buffer, void, undefined> {
    for (let missing = bytes; missing > 0;) {
      if (chunk.length === 0) {
        const next = await chunks.next()
        if (next.done === true) {
          if (bytes === Infinity) return
          throw tooShort(name, position + missing)
        }
        chunk = next.value
      }
      const piece = chunk.subarray(0, Math.min(missing, chunk.length))
      chunk = chunk.subarray(piece.length)
      position += piece.length
      missing -= piece.length
      yield piece
    }
  }
  const forget = async (bytes: number): Promise<void> => {
    for await (const _ of take(bytes));
  }
  return {
    take,
    skipTo: async (wanted) => {
      if (wanted < position) throw new Error(`${name} cannot be read backwards, from ${position} to ${wanted}`)
      await forget(wanted - position)
    },
    drain: async () => forget(Infinity),
  }
}

function tooShort(name: string, wanted: number): Fault {
  return new Fault(
    `object ${name} ends before byte ${wanted} of its decompressed content, where rows should be.`,
    'Restore another snapshot ("snapshots" lists them).',
  )
}
