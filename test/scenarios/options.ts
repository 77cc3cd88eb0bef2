import { parseArgs } from 'node:util'

/** What the command line of `npm run scenarios` asks for. */
export interface Options {
  /** Only scenarios whose theme or title contains it. */
  readonly only: string
  readonly workers: number
  readonly json: boolean
  readonly list: boolean
}

export const USAGE = `npm run scenarios -- [--only TEXT] [--workers N] [--json] [--list]
  --only TEXT  only the scenarios whose theme or title contains TEXT
  --workers N  how many at once, each with a database and services of its own (default 3)
  --json       print one JSON document
  --list       print the titles and play nothing`

/** @throws Error with a message for a person. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      workers: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  })
  const workers = Number(values.workers)
  if (!/^[1-9]\d?$/.test(values.workers)) throw new Error(`--workers is "${values.workers}"; give 1 to 99.`)
  return { only: values.only, workers, json: values.json, list: values.list }
}
