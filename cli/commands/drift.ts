import type { Command as Commander } from 'commander'
import { selectionOf, type Select } from './selection.ts'

/** Adds `drift`. */
export function addDriftCommand(program: Commander, select: Select): void {
  program
    .command('drift')
    .description('show what of the schema is not as Lockstep has left it')
    .option('--last-run', 'compare with what the last run has left')
    .action(() => select(selectionOf({ action: 'drift' })))
}
