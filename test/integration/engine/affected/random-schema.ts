import type { Random } from '../../../chaos/random.ts'

const SCHEMAS = ['a', 'b'] as const
const ACTIONS = ['NO ACTION', 'RESTRICT', 'CASCADE', 'SET NULL', 'SET DEFAULT'] as const

/** A database: its statements, and the names that a migration may use. */
export interface RandomSchema {
  readonly statements: readonly string[]
  readonly tables: readonly string[]
  readonly views: readonly string[]
  readonly functions: readonly string[]
}

/** Tables with keys to each other, partitions, heirs, views, rules, types, triggers and functions that write. */
export function randomSchema(random: Random): RandomSchema {
  const tables: string[] = []
  const views: string[] = []
  const functions: string[] = []
  const statements = [
    'CREATE SCHEMA a; CREATE SCHEMA b; SET search_path TO a, b',
    "CREATE TYPE a.mood AS ENUM ('sad', 'ok'); CREATE DOMAIN b.level AS int; CREATE TYPE b.pair AS (x int, y int)",
    'CREATE FUNCTION b.twice(n int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT n * 2 $$',
  ]
  const table = (name: string): string => {
    tables.push(name)
    return name
  }
  for (let index = 0; index < random.integer(4, 7); index += 1) {
    const name = `${random.pick(SCHEMAS)}.t${index}`
    const parents = tables.filter((parent) => parent.includes('.t'))
    const key = parents.length > 0 && random.chance(0.7) ? random.pick(parents) : null
    const reference =
      key === null
        ? ''
        : ` DEFAULT 1 REFERENCES ${key} ON DELETE ${random.pick(ACTIONS)} ON UPDATE ${random.pick(ACTIONS)}`
    const extra = random.pick(EXTRA_COLUMNS)
    statements.push(
      `CREATE TABLE ${table(name)} (id int PRIMARY KEY, up int${reference}, note text${extra})`,
      `INSERT INTO ${name} (id, up, note) SELECT n, n, 'x' FROM generate_series(1, 3) AS n`,
    )
  }
  if (random.chance(0.6)) {
    statements.push(
      `CREATE TABLE ${table('a.p')} (id int, up int, note text) PARTITION BY RANGE (id)`,
      `CREATE TABLE ${table('b.p1')} PARTITION OF a.p FOR VALUES FROM (0) TO (3)`,
      `CREATE TABLE ${table('a.p2')} PARTITION OF a.p DEFAULT`,
      `INSERT INTO a.p SELECT n, n, 'x' FROM generate_series(1, 4) AS n`,
    )
  }
  if (random.chance(0.5)) {
    const parent = random.pick(tables.filter((name) => name.includes('.t')))
    statements.push(`CREATE TABLE ${table('b.heir')} () INHERITS (${parent})`, `INSERT INTO b.heir (id) VALUES (9)`)
  }
  for (let index = 0; index < random.integer(0, 2); index += 1) {
    const view = `${random.pick(SCHEMAS)}.v${index}`
    statements.push(`CREATE VIEW ${view} AS SELECT id, up, note FROM ${random.pick([...tables, ...views])}`)
    views.push(view)
  }
  for (let index = 0; index < random.integer(1, 4); index += 1) {
    const name = `${random.pick(SCHEMAS)}.f${index}`
    const write = randomWrite(random, [...tables, ...views])
    if (random.chance(0.5)) {
      statements.push(
        `CREATE FUNCTION ${name}() RETURNS int LANGUAGE ${
          random.chance(0.5)
            ? `plpgsql AS $$ BEGIN IF true THEN ${write}; END IF; RETURN 1; END $$`
            : `sql AS $$ ${write}; SELECT 1 $$`
        }`,
      )
      functions.push(name)
      if (random.chance(0.3))
        statements.push(`ALTER TABLE ${random.pick(tables)} ALTER COLUMN note SET DEFAULT ${name}()::text`)
    } else {
      const event = random.pick(['INSERT', 'UPDATE', 'DELETE', 'INSERT OR UPDATE'])
      statements.push(
        `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF pg_trigger_depth() < 3 THEN ${write}; END IF; RETURN NULL; END $$`,
        `CREATE TRIGGER g${index} AFTER ${event} ON ${random.pick(tables)} FOR EACH ROW EXECUTE FUNCTION ${name}()`,
      )
    }
  }
  if (random.chance(0.2)) {
    const write = randomWrite(random, tables)
    statements.push(`CREATE RULE r AS ON UPDATE TO ${random.pick(tables)} DO ALSO ${write}`)
  }
  return { statements, tables, views, functions }
}

const EXTRA_COLUMNS = [
  '',
  ", feels a.mood DEFAULT 'ok'",
  ', high b.level DEFAULT 4',
  ', pair b.pair',
  ', m int GENERATED ALWAYS AS (b.twice(id)) STORED',
]

function randomWrite(random: Random, targets: readonly string[]): string {
  const target = random.pick(targets)
  return random.pick([
    `INSERT INTO ${target} (id, up, note) VALUES (${random.integer(10, 99)}, 1, 'y')`,
    `UPDATE ${target} SET note = coalesce(note, '') || 'z'`,
    `UPDATE ${target} SET id = id + ${random.integer(100, 900)} WHERE id < 3`,
    `DELETE FROM ${target} WHERE id = ${random.integer(1, 3)}`,
    `DELETE FROM ${target} USING ${random.pick(targets)} AS other WHERE other.id = 2 AND other.id = ${target}.id`,
  ])
}

/** A few statements, which may be wrong: names are made up as they come. */
export function randomMigration(random: Random, schema: RandomSchema): readonly string[] {
  const tables = [...schema.tables]
  const statements: string[] = []
  for (let index = 0; index < random.integer(1, 5); index += 1) {
    const statement = random.pick(KINDS)(random, { ...schema, tables }, tables)
    statements.push(random.chance(0.15) ? statement.replaceAll(/\b[ab]\.(?=[tpvf]\d)/g, '') : statement)
  }
  return statements
}

type Kind = (random: Random, schema: RandomSchema, tables: string[]) => string

const write: Kind = (random, { tables, views }) => randomWrite(random, [...tables, ...views])

const KINDS: readonly Kind[] = [
  write,
  write,
  write,
  (random, { tables }) => `TRUNCATE ${random.pick(tables)}${random.chance(0.6) ? ' CASCADE' : ''}`,
  (random, { tables }) => `ALTER TABLE ${random.pick(tables)} ADD COLUMN extra_${random.integer(1, 99)} int DEFAULT 3`,
  (random, { tables }) => `ALTER TABLE ${random.pick(tables)} DROP COLUMN note CASCADE`,
  (random, { tables }) => `ALTER TABLE ${random.pick(tables)} ALTER COLUMN up TYPE bigint USING up + 1`,
  (random, { tables }) => `ALTER TABLE ${random.pick(tables)} ADD CONSTRAINT c${random.integer(1, 9)} CHECK (id > 0)`,
  (random, { tables }) =>
    `ALTER TABLE ${random.pick(tables)} ADD FOREIGN KEY (up) REFERENCES ${random.pick(tables)} ON DELETE CASCADE ON UPDATE CASCADE NOT VALID`,
  (random, { tables }) => `CREATE INDEX ON ${random.pick(tables)} (up)`,
  (random, { tables }) => `DROP TABLE ${random.pick(tables)}${random.chance(0.5) ? ' CASCADE' : ''}`,
  (random) => `DROP TYPE ${random.pick(['a.mood', 'b.pair', 'b.level'])} CASCADE`,
  (random) => `ALTER TYPE ${random.pick(['a.mood', 'mood'])} RENAME VALUE 'ok' TO 'fine'`,
  () => 'ALTER TYPE b.pair ADD ATTRIBUTE z int CASCADE',
  () => 'DROP FUNCTION b.twice(int) CASCADE',
  (random) => `DROP SCHEMA ${random.pick(SCHEMAS)} CASCADE`,
  (random, _schema, tables) => {
    const from = random.pick(tables)
    const to = `${from.slice(0, 2)}renamed_${random.integer(1, 9)}`
    tables.push(to)
    return `ALTER TABLE ${from} RENAME TO ${to.slice(2)}`
  },
  (random, _schema, tables) => {
    const from = random.pick(tables)
    const to = random.pick(SCHEMAS)
    tables.push(`${to}.${from.slice(2)}`)
    return `ALTER TABLE ${from} SET SCHEMA ${to}`
  },
  (random, { tables, views }) => {
    const view = random.pick([...views, 'a.fresh_view'])
    return `CREATE OR REPLACE VIEW ${view} AS SELECT id, up, note FROM ${random.pick(tables)}`
  },
  (random, { tables }) => `DELETE FROM a.fresh_view WHERE id < ${random.pick([2, tables.length])}`,
  (random, { functions }) => (functions.length === 0 ? 'SELECT 1' : `SELECT ${random.pick(functions)}()`),
  (random, schema, tables) => `DO $$ BEGIN ${write(random, schema, tables)}; END $$`,
  (random, { functions, tables, views }) =>
    functions.length === 0
      ? 'SELECT 2'
      : `CREATE OR REPLACE FUNCTION ${random.pick(functions)}() RETURNS int LANGUAGE sql AS $$ ${randomWrite(random, [...tables, ...views])}; SELECT 1 $$`,
  (random, { tables }) =>
    `CREATE TRIGGER h${random.integer(1, 9)} AFTER UPDATE ON ${random.pick(tables)} FOR EACH ROW EXECUTE FUNCTION ${random.pick(['a', 'b'])}.f${random.integer(0, 3)}()`,
  (random) => `SET search_path TO ${random.pick(['a', 'b', 'b, a'])}`,
  (random, _schema, tables) => {
    const partition = random.pick(['b.p1', 'a.p2'])
    tables.push(partition)
    return random.chance(0.7)
      ? `ALTER TABLE a.p DETACH PARTITION ${partition}`
      : `ALTER TABLE a.p ATTACH PARTITION ${random.pick(tables)} DEFAULT`
  },
  (random, { tables }) => `ALTER TABLE ${random.pick(tables)} INHERIT ${random.pick(tables)}`,
  (random, { tables }) => `CREATE TABLE a.copy_${random.integer(1, 9)} AS SELECT * FROM ${random.pick(tables)}`,
  (random, { tables }) => `CREATE RULE s AS ON INSERT TO ${random.pick(tables)} DO ALSO ${randomWrite(random, tables)}`,
  (random, { tables }) => `INSERT INTO ${random.pick(tables)} (id, up) SELECT id + 50, up FROM ${random.pick(tables)}`,
]
