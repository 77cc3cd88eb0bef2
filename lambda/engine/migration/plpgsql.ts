import type { Fields } from './parse-tree.ts'

/** How the text of an expression is to be read (RawParseMode, parser.h). */
const AS_STATEMENT = 0
const AS_TYPE = 1
const AS_EXPRESSION = 2

/** The text of a `PLpgSQL_expr` as a statement that can be parsed; empty where it is the name of a type. */
export function statementIn({ query, parseMode = AS_STATEMENT }: Fields): string {
  const text = String(query)
  switch (parseMode) {
    case AS_STATEMENT:
      return text
    case AS_TYPE:
      return ''
    case AS_EXPRESSION:
      return `SELECT ${text}`
    default: {
      const [, target, value] = /^([^=]*?):?=(.*)$/s.exec(text) ?? []
      return `SELECT ${target}, ${value}`
    }
  }
}
