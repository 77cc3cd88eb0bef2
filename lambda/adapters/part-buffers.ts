/** A fixed number of equal buffers that whoever needs one waits for: the bound on what all uploads hold in memory. */
export interface PartBuffers {
  readonly take: () => Promise<Buffer>
  readonly give: (buffer: Buffer) => void
}

/** They are made when they are first needed, and kept. */
export function createPartBuffers(count: number, bytes: number): PartBuffers {
  const free: Buffer[] = []
  const waiting: ((buffer: Buffer) => void)[] = []
  let made = 0
  return {
    take: async () => {
      const buffer = free.pop()
      if (buffer !== undefined) return buffer
      if (made === count) return new Promise((resolve) => void waiting.push(resolve))
      made += 1
      return Buffer.allocUnsafeSlow(bytes)
    },
    give: (buffer) => {
      const next = waiting.shift()
      if (next === undefined) free.push(buffer)
      else next(buffer)
    },
  }
}
