import { pgDump } from '@electric-sql/pglite-tools/pg_dump'
import { parse } from 'libpg-query'

/** Bundled by `bundle.test.ts`: uses both WebAssembly modules and says what they answered. */
const { stmts } = await parse('SELECT 1; SELECT 2')
console.log(`statements: ${stmts?.length}`)

const database = {
  query: () => Promise.resolve({ rows: [{ search_path: 'public' }] }),
  exec: () => Promise.resolve([]),
} as unknown as Parameters<typeof pgDump>[0]['pg']
const failure: unknown = await pgDump({ pg: database, args: ['--no-such-option'] }).catch((thrown: unknown) => thrown)
console.log(String(failure))
