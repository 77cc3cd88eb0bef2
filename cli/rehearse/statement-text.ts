import { excerptAt } from '../../lambda/engine/migration/excerpt.ts'
import { maskSecrets } from '../../lambda/mask-secrets.ts'
import type { WatchedStatement } from '../../lambda/engine/run/watch.ts'
import { headOf } from '../../lambda/snapshot/sql-script.ts'

const LONGEST = 60

/** 1-based, in the file; null for what code runs. */
export function lineOf({ statement }: WatchedStatement): number | null {
  return statement === null ? null : excerptAt(statement.block, statement.offset + leading(statement.sql)).line
}

/** The beginning of a statement, on one line, its passwords masked. Of what code runs no literal, which may be data. */
export function textOf({ statement, sql }: WatchedStatement): string {
  const text = (statement === null ? headOf(sql.trim()) : maskSecrets(statement.sql.slice(leading(statement.sql))))
    .replaceAll(/\s+/g, ' ')
    .trim()
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`
}

/** How much of it is comments. */
function leading(sql: string): number {
  return /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/.exec(sql)?.[0].length ?? 0
}
