import { InvalidArgumentError, Option, type Command as Commander } from 'commander'
import { MISSING_ROLES, type MissingRoles } from '../../lambda/snapshot-contract.ts'
import { MAX_SNAPSHOT_WORKERS } from '../../lambda/snapshot-settings.ts'
import { parseCount } from '../options.ts'
import { selectionOf, type Select } from './selection.ts'

/** Adds `snapshot`, `snapshots`, `restore` and `verify`. */
export function addSnapshotCommands(program: Commander, select: Select): void {
  program
    .command('snapshot')
    .description('take a consistent copy of the database')
    .action(() => select(selectionOf({ action: 'snapshot' })))
  program
    .command('snapshots')
    .description('list the snapshots of the store')
    .action(() => select(selectionOf({ action: 'snapshots' })))
  program
    .command('restore')
    .description('put a snapshot in the place of the database, which is kept under a dated name')
    .argument('<uri>', 'the snapshot, as "snapshots" lists it')
    .option('--into <name>', 'restore into this new database instead, and leave the old one in its place')
    .option('--table <schema.table>', 'restore only this table, into a new schema beside it (repeatable)', collect)
    .option('--into-schema <name>', 'the new schema for --table')
    .addOption(
      new Option('--missing-roles <choice>', 'what to do about roles that do not exist here').choices(MISSING_ROLES),
    )
    .option('--workers <number>', 'how many sessions work at the same time', parseWorkers)
    .action((uri: string, { table, ...options }: RestoreOptions) => {
      select(selectionOf({ action: 'restore', uri, ...options, ...(table === undefined ? {} : { tables: table }) }))
    })
  program
    .command('verify')
    .description('read a snapshot again: sizes, checksums, rows and totals; needs no database')
    .argument('<uri>', 'the snapshot, as "snapshots" lists it')
    .action((uri: string) => select(selectionOf({ action: 'verify', uri })))
}

interface RestoreOptions {
  readonly into?: string
  readonly table?: readonly string[]
  readonly intoSchema?: string
  readonly missingRoles?: MissingRoles
  readonly workers?: number
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

function parseWorkers(value: string): number {
  const workers = parseCount(value)
  if (workers > MAX_SNAPSHOT_WORKERS) throw new InvalidArgumentError(`Give at most ${MAX_SNAPSHOT_WORKERS}.`)
  return workers
}
