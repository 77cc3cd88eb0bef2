import { posix } from 'node:path'
import { count } from '../units.ts'

/** How many of each are shown; the rest is counted. */
export interface Amounts {
  readonly steps: number
  readonly problems: number
  readonly hazards: number
  readonly locks: number
  /** Characters of a text. */
  readonly text: number
}

/** Nothing where all is shown. */
export function andMore(amount: number, noun: string): readonly string[] {
  return amount > 0 ? [`… and ${count(amount, `more ${noun}`)}.`] : []
}

/** `migrations/2_b.sql:3` */
export function placeOf(directory: string, file: string, line: number | null): string {
  const path = directory === '' ? file : posix.join(directory.replaceAll('\\', '/'), file)
  return line === null ? path : `${path}:${line}`
}
