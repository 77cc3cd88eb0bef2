/** A source of random choices that a seed reproduces. */
export interface Random {
  /** From 0 up to, but not including, 1. */
  readonly next: () => number
  /** A whole number from `from` to `to`, both included. */
  readonly integer: (from: number, to: number) => number
  readonly chance: (probability: number) => boolean
  /** @throws Error when there is nothing to pick from. */
  readonly pick: <T>(items: readonly T[]) => T
}

/** The choices of one round. Rounds do not depend on each other, so that one can be repeated alone. */
export function randomFor(seed: number, round: number): Random {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(round + 1, 0x85ebca6b)) >>> 0
  // splitmix32
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
  const integer = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1))
  return {
    next,
    integer,
    chance: (probability) => next() < probability,
    pick: (items) => {
      const item = items[integer(0, items.length - 1)]
      if (item === undefined) throw new Error('There is nothing to pick from.')
      return item
    },
  }
}
