import { messageOf } from '../errors.ts'
import { remedyFor, sqlStateOf } from './failure.ts'
import { Fault } from './fault.ts'
import type { TableName } from './scope.ts'

/** A failed copy, naming the table. */
export function copyFault(verb: 'copy' | 'fill', table: TableName, error: unknown): Fault {
  if (error instanceof Fault) return error
  const remedy =
    sqlStateOf(error) === '42501'
      ? 'Connect as the owner of the table, or as a role that may read it and that row-level security does not bind (BYPASSRLS).'
      : remedyFor(error)
  return new Fault(`cannot ${verb} table ${table.schema}.${table.name}: ${messageOf(error)}`, remedy, error)
}
