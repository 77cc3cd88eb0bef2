import type { MigrationContext } from '../lambda/engine/migration/migration.ts'

type Product = {
  readonly id: string
  readonly name: string
}

/** In TypeScript because the shop makes slugs of new products with this very function. */
function slugOf(name: string): string {
  return name
    .normalize('NFKD')
    .replaceAll(/\p{Mark}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
}

export async function up({ query, log }: MigrationContext): Promise<void> {
  const products = await query<Product>('SELECT id, name FROM shop.products WHERE slug IS NULL ORDER BY id')
  const slugs = products.map((product) => slugOf(product.name))
  await query(
    `UPDATE shop.products
     SET slug = filled.slug
     FROM unnest($1::bigint[], $2::text[]) AS filled (id, slug)
     WHERE products.id = filled.id`,
    [products.map((product) => product.id), slugs],
  )
  log(`${products.length} products have a slug`)
}

export async function down({ query }: MigrationContext): Promise<void> {
  await query('UPDATE shop.products SET slug = NULL')
}
