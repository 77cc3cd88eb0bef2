import { readdirSync } from 'node:fs'
import type { Migration } from '../../lambda/engine/migration/migration.ts'
import { problem } from './check-files.ts'
import type { ValidationProblem } from './problem.ts'

/** What the names say of the order, and files that look like migrations and are none. */
export function checkNames(directory: string, migrations: readonly Migration[]): readonly ValidationProblem[] {
  return [...unnumbered(migrations), ...sameNumbers(migrations), ...strays(directory, migrations)]
}

function numberOf(id: string): string | null {
  return /^\d+/.exec(id)?.[0]?.replace(/^0+(?=\d)/, '') ?? null
}

function unnumbered(migrations: readonly Migration[]): readonly ValidationProblem[] {
  const without = migrations.filter(({ id, directives }) => numberOf(id) === null && directives.after === null)
  if (without.length === migrations.length) return []
  return without.map((migration) =>
    problem(migration, 'warning', {
      message:
        'its name begins with no number, as those of the others do: it comes after all of them, in the order of the letters.',
      remedy: 'Begin the name with a time (20261121143000_…), or say its place with "-- lockstep:after <id>".',
    }),
  )
}

function sameNumbers(migrations: readonly Migration[]): readonly ValidationProblem[] {
  const seen = new Map<string, Migration>()
  return migrations.flatMap((migration) => {
    const number = numberOf(migration.id)
    if (number === null || migration.directives.after !== null) return []
    const other = seen.get(number)
    if (other === undefined) {
      seen.set(number, migration)
      return []
    }
    return [
      problem(migration, 'warning', {
        message: `its number is that of ${other.file} as well: which of the two comes first is up to the letters after it.`,
        remedy: 'Give one of them another number, unless it is applied already.',
      }),
    ]
  })
}

const LOOKS_LIKE_ONE = /\.(?:sql|ts|js|mjs|cjs|mts|cts)$/i
const NO_MIGRATION = /^(?:\.|seed\.sql$)|\.d\.ts$/

function strays(directory: string, migrations: readonly Migration[]): readonly ValidationProblem[] {
  const read = new Set(migrations.map(({ file }) => file))
  const names = readdirSync(directory, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []))
  const ignored = names.filter(
    (name) => LOOKS_LIKE_ONE.test(name) && !NO_MIGRATION.test(name) && !/\.(?:sql|ts)$/.test(name),
  )
  const pairs = [...read].filter((name) => /[._](?:up|down)\.sql$/.test(name))
  return [
    ...ignored.map((file) =>
      problem({ id: file, file }, 'warning', {
        message: 'it is no migration: only .sql and .ts are.',
        remedy: 'Rename it, or move it to another directory.',
      }),
    ),
    ...pairs.map((file) =>
      problem({ id: file.replace(/\.sql$/, ''), file }, 'warning', {
        message: 'its name is that of a tool which keeps up and down in two files; here they stand in one.',
        remedy: 'Put both into one file, below "-- migrate:up" and "-- migrate:down".',
      }),
    ),
  ]
}
