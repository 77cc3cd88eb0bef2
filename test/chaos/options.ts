import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

/** What the command line of `npm run chaos` asks for. */
export interface Options {
  readonly seed: number
  readonly rounds: readonly number[]
  readonly workers: number
  readonly json: boolean
}

export const USAGE = `npm run chaos -- [--rounds N] [--seed S] [--round R] [--workers W] [--json]
  --rounds N   how many rounds to play (default 200)
  --seed S     the same seed makes the same rounds (default 1)
  --round R    only this round, to look at it again
  --workers W  how many rounds at once, each on a server of its own (default one more than
               the cores: a round waits for sleeps, and for servers that are away)
  --json       print one JSON document`

/** @throws Error with a message for a person. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      round: { type: 'string' },
      workers: { type: 'string', default: String(availableParallelism() + 1) },
      json: { type: 'boolean', default: false },
    },
  })
  const rounds =
    values.round === undefined
      ? Array.from({ length: count('rounds', values.rounds, 1) }, (_, index) => index + 1)
      : [count('round', values.round, 1)]
  return {
    seed: count('seed', values.seed, 0),
    rounds,
    workers: count('workers', values.workers, 1),
    json: values.json,
  }
}

function count(name: string, text: string, least: number): number {
  const value = Number(text)
  if (/^\d{1,9}$/.test(text) && value >= least) return value
  throw new Error(`--${name} is "${text}"; give a whole number from ${least} on.`)
}
