import type { GeneratedMigration, Piece } from './migration-set.ts'

/** The text of a TypeScript migration. */
export function textOfCode({
  transactional,
  up,
  down,
}: Pick<GeneratedMigration, 'transactional' | 'up' | 'down'>): string {
  const option = transactional ? '' : 'export const transaction = false\n\n'
  return `interface Context {
  readonly query: (sql: string) => Promise<unknown>
  readonly batch: (sql: string, options: { readonly size: number }) => Promise<number>
}

${option}export async function up({ query, batch }: Context): Promise<void> {
${callsOf(up)}}

export async function down({ query, batch }: Context): Promise<void> {
${callsOf(down)}}
`
}

function callsOf(pieces: readonly Piece[]): string {
  return pieces
    .map(({ sql, batch }, index) => {
      if (batch === null) return `  await query(${JSON.stringify(sql)})\n`
      // Its further rounds are pieces of their own only where they are counted.
      if (pieces[index - 1]?.batch?.sql === batch.sql) return ''
      return `  await batch(${JSON.stringify(batch.sql)}, { size: ${batch.size} })\n`
    })
    .join('')
}
