import type { Command as Commander } from 'commander'
import { selectionOf, type Select } from './selection.ts'

/** Adds `snapshot`, `snapshots` and `restore`. */
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
    .action((uri: string, options: { readonly into?: string }) => {
      select(selectionOf({ action: 'restore', uri, ...(options.into === undefined ? {} : { into: options.into }) }))
    })
}
