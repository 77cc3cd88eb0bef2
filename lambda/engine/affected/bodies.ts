import { parsePlPgSQLSync, parseSync } from 'libpg-query'
import { mentionsIn, mentionsOf, type Mention } from './mentions.ts'
import { fieldsOf, type Fields } from '../migration/parse-tree.ts'
import { statementIn } from '../migration/plpgsql.ts'
import { itemsOf } from './tree.ts'

/** Everything that a function does, by the text of its CREATE FUNCTION. @param name - for people */
export function mentionsInFunction(sql: string, name: string): readonly Mention[] {
  try {
    return (parseSync(sql).stmts ?? []).flatMap(({ stmt }) => {
      const definition = fieldsOf(fieldsOf(stmt).CreateFunctionStmt)
      return [...mentionsOf(definition.parameters, sql), ...mentionsInBody(definition, sql, name)]
    })
  } catch {
    return [unsure(`the function ${name} cannot be understood`)]
  }
}

/** Everything that a DO statement does. */
export function mentionsInBlock(sql: string): readonly Mention[] {
  try {
    const options = itemsOf(fieldsOf(fieldsOf(parseSync(sql).stmts?.[0]?.stmt).DoStmt).args)
    const language = optionOf(options, 'language')
    if (language !== undefined && textOf(language).toLowerCase() !== 'plpgsql')
      return [unsure('a DO block is not in PL/pgSQL')]
    return mentionsInPlPgSql(sql, 'a DO block')
  } catch {
    return [unsure('a DO block cannot be understood')]
  }
}

function mentionsInBody(definition: Fields, sql: string, name: string): readonly Mention[] {
  const options = itemsOf(definition.options)
  const language = (textOf(optionOf(options, 'language')) || 'sql').toLowerCase()
  if (language === 'plpgsql') return mentionsInPlPgSql(sql, name)
  if (language !== 'sql') return [unsure(`the function ${name} is written in ${language}`)]
  if (definition.sql_body !== undefined) return mentionsOf(definition.sql_body, sql)
  return mentionsIn(textOf(itemsOf(optionOf(options, 'as'))[0]))
}

function optionOf(options: readonly unknown[], name: string): unknown {
  return options.map((option) => fieldsOf(fieldsOf(option).DefElem)).find(({ defname }) => defname === name)?.arg
}

function textOf(node: unknown): string {
  const { sval } = fieldsOf(fieldsOf(node).String)
  return typeof sval === 'string' ? sval : ''
}

/** Statements whose SQL is put together when they run. */
const DYNAMIC: Readonly<Record<string, string>> = {
  PLpgSQL_stmt_dynexecute: 'query',
  PLpgSQL_stmt_dynfors: 'query',
  PLpgSQL_stmt_open: 'dynquery',
  PLpgSQL_stmt_return_query: 'dynquery',
}

function mentionsInPlPgSql(sql: string, name: string): readonly Mention[] {
  return [...walk(parsePlPgSQLSync(sql), name)]
}

function* walk(node: unknown, name: string): Generator<Mention> {
  if (Array.isArray(node)) {
    for (const item of node as readonly unknown[]) yield* walk(item, name)
    return
  }
  for (const [key, child] of Object.entries(fieldsOf(node))) {
    if (key === 'PLpgSQL_expr') yield* mentionsIn(statementIn(fieldsOf(child)))
    else yield* walk(child, name)
    const dynamic = DYNAMIC[key] === undefined ? undefined : fieldsOf(child)[DYNAMIC[key]]
    if (dynamic !== undefined) yield* mentionsInDynamic(fieldsOf(fieldsOf(dynamic).PLpgSQL_expr), name)
  }
}

/** What is a plain text can be read; the rest is known only when it runs. */
function mentionsInDynamic({ query }: Fields, name: string): readonly Mention[] {
  const select = fieldsOf(fieldsOf(parseSync(`SELECT ${String(query)}`).stmts?.[0]?.stmt).SelectStmt)
  const [target] = itemsOf(select.targetList)
  const constant = fieldsOf(fieldsOf(fieldsOf(fieldsOf(target).ResTarget).val).A_Const).sval
  const text = fieldsOf(constant).sval
  return typeof text === 'string' ? mentionsIn(text) : [unsure(`${name} puts SQL together`)]
}

function unsure(why: string): Mention {
  return { kind: 'unsure', why }
}
