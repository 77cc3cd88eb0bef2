import { scanSync } from 'libpg-query'
import type { ErrorCode } from '../../errors.ts'
import { quoteLiteral } from '../database.ts'
import { ended } from '../plan/plan-steps.ts'

/**
 * A statement as psql sends it unchanged. psql puts its variables in the place of `:name`, `:'name'` and `:"name"` outside
 * of quotes, where SQL has the bounds of array slices: what holds one is sent as the text that a query gives, which psql
 * does not read.
 */
export function statementText(sql: string): string {
  return readsVariable(sql) ? `SELECT ${quoteLiteral(sql).trim()} AS statement \\gexec` : ended(sql)
}

/** Looked at closely only where there may be one. */
function readsVariable(sql: string): boolean {
  if (!/(?<!:):[\w'"{\u0080-\uffff]/.test(sql)) return false
  const { tokens } = scanSync(sql)
  return tokens.some(({ text, end }, index) => {
    const next = tokens[index + 1]
    return text === ':' && next?.start === end && /^[\w'"{\u0080-\uffff]/.test(next.text)
  })
}

/** A block that fails the script, or does not, without a semicolon. `body` are statements of PL/pgSQL. */
export function doBlock(body: string, declarations = ''): string {
  const tag = freeTag(`${declarations}${body}`)
  return `DO ${tag}\n${declarations === '' ? '' : `DECLARE ${declarations}\n`}BEGIN\n${body}\nEND ${tag}`
}

function freeTag(text: string): string {
  let tag = '$lockstep$'
  for (let number = 1; text.includes(tag); number += 1) tag = `$lockstep${number}$`
  return tag
}

/** The statement of PL/pgSQL that fails the script. @param more - an expression that ends the message. @default nothing */
export function raise(code: ErrorCode, message: string, remedy: string, more: string | null = null): string {
  const text = `${quoteLiteral(`${code}: ${message}`)}${more === null ? '' : ` || ${more}`}`
  return `RAISE EXCEPTION USING\n      MESSAGE = ${text},\n      HINT = ${quoteLiteral(remedy)};`
}

/** A query whose one row becomes psql's variables, named by its columns. */
export function setVariables(columns: string): string {
  return `SELECT ${columns} \\gset`
}

/** Gives psql a variable with this text: `:name` stands for it from then on. */
export function setText(name: string, text: string): string {
  const tag = freeTag(text)
  return setVariables(`${tag}${text}${tag} AS ${name}`)
}

/** Whatever the text holds, none of its lines is SQL. */
export function comment(text: string): string {
  return text
    .split(/\r\n|[\r\n\u2028\u2029]/)
    .map((line) => `-- ${line}`.trimEnd())
    .join('\n')
}
