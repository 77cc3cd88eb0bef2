import type { Command as Commander } from 'commander'
import { selectionOf, type Select } from './selection.ts'

/** Adds the commands that look, and `init`. */
export function addInspectionCommands(program: Commander, select: Select): void {
  program
    .command('status')
    .description('show where the database stands: every migration, applied or pending')
    .option('--exit-code', 'end with 3 when migrations are pending, with 1 when a run would be refused')
    .option('--statistics <file>', 'write the size and the writes of every table to this file, for "lint --statistics"')
    .action(({ exitCode = false, statistics }: { readonly exitCode?: boolean; readonly statistics?: string }) => {
      const file = statistics === undefined ? {} : { statistics }
      select(selectionOf({ action: 'status' }, { exitOnPending: exitCode, ...file }))
    })
  const simple = [
    ['current', 'print the id of the last applied migration'],
    ['history', 'show what was applied, when and by whom, and the runs'],
    ['pending', 'print the ids of the pending migrations'],
    ['health', 'check that the database answers'],
    ['init', 'create the database and the history where they are missing'],
  ] as const
  for (const [action, description] of simple) {
    program
      .command(action)
      .description(description)
      .action(() => select(selectionOf({ action })))
  }
}
