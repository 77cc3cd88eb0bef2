/** A hazard shown: what raises it, and what does the same without. */
export interface Example {
  /** What is there before, beside {@link SHOP}. @default nothing */
  readonly given?: string
  /** The up of one migration. */
  readonly bad: Up
  /** Ids of other hazards that the same shows. @default none */
  readonly also?: readonly string[]
  /** The ups of one migration or several, each deployed by itself. Null: there is no way without. */
  readonly safe: readonly Up[] | null
}

/** Statements, or those of a file with `transaction:false`. */
export type Up = string | { readonly outside: string }

/** What every example begins with. */
export const SHOP = `CREATE TABLE customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email text NOT NULL,
  name varchar(40),
  country text
);
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint,
  total int,
  status text,
  placed_at timestamptz NOT NULL
);
CREATE INDEX orders_status ON orders (status);
CREATE INDEX orders_customer_id ON orders (customer_id);`

/** A file as it stands in the directory. */
export function fileOf(up: Up): string {
  return typeof up === 'string' ? `-- migrate:up\n${up}\n` : `-- migrate:up transaction:false\n${up.outside}\n`
}
