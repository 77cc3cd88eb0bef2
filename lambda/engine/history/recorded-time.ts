import type { Clock } from '../../clock.ts'
import { quoteLiteral, type Expression } from '../database.ts'

/** Of what something else than this process does, at another time. */
export interface RunAtAnotherTime {
  /** Gives the time. @default the clock's, as a literal */
  readonly now?: Expression
}

/** The time that is recorded, in SQL. */
export function nowSql({ clock, now }: { readonly clock: Clock } & RunAtAnotherTime): string {
  return now?.sql ?? quoteLiteral(clock.now().toISOString())
}

/** A column of times, in seconds since the epoch: as text it would be written as the role's DateStyle has it. */
export function timeColumn(name: string): string {
  return `pg_catalog.date_part('epoch', ${name}) AS ${name}`
}
