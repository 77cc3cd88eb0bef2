import { piece } from './migration-set.ts'
import { rows, unique, type Draft, type EnumTable, type Recipe, type Table } from './world.ts'

/** The function makes index builds slow enough for faults to hit them in the middle. */
const SLOW = `CREATE FUNCTION slow(value int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
$$ BEGIN PERFORM pg_catalog.pg_sleep(0.001); RETURN value; END $$`

/** The first migration of every set. */
export const base: Recipe = (world, random) => {
  const draft = createTable(world, random)
  return { up: [SLOW, ...draft.up], down: [...draft.down, 'DROP FUNCTION slow(int)'] }
}

const createTable: Recipe = (world, random) => {
  const table: Table = { name: unique(world, 'thing'), nextId: 1 }
  world.tables.push(table)
  const { insert } = rows(table, random.integer(3, 12))
  return {
    up: [`CREATE TABLE ${table.name} (id int PRIMARY KEY, name text NOT NULL)`, insert],
    down: [`DROP TABLE ${table.name}`],
  }
}

const addColumn: Recipe = (world, random) => {
  const { name: table } = random.pick(world.tables)
  const column = unique(world, 'column')
  return {
    up: [`ALTER TABLE ${table} ADD COLUMN ${column} int NOT NULL DEFAULT 7`, `UPDATE ${table} SET ${column} = id * 2`],
    down: [`ALTER TABLE ${table} DROP COLUMN ${column}`],
  }
}

const insertRows: Recipe = (world, random) => {
  const { insert, remove } = rows(random.pick(world.tables), random.integer(1, 5))
  return { up: [insert], down: [remove] }
}

/** Applied twice, it shows. */
const updateRows: Recipe = (world, random) => {
  const { name: table } = random.pick(world.tables)
  return { up: [`UPDATE ${table} SET name = name || '+'`], down: [`UPDATE ${table} SET name = left(name, -1)`] }
}

const addIndex: Recipe = (world, random) => {
  const { name: table } = random.pick(world.tables)
  const index = unique(world, 'index')
  return { up: [`CREATE INDEX ${index} ON ${table} (name)`], down: [`DROP INDEX ${index}`] }
}

const createEnum: Recipe = (world) => {
  const made: EnumTable = {
    name: unique(world, 'mooded'),
    type: unique(world, 'mood'),
    labels: ['calm', 'glad'],
    nextId: 2,
  }
  world.enums.push(made)
  return {
    up: [
      `CREATE TYPE ${made.type} AS ENUM ('calm', 'glad')`,
      `CREATE TABLE ${made.name} (id int PRIMARY KEY, mood ${made.type} NOT NULL)`,
      `INSERT INTO ${made.name} VALUES (1, 'calm')`,
    ],
    down: [`DROP TABLE ${made.name}`, `DROP TYPE ${made.type}`],
  }
}

/** PostgreSQL cannot take a value away: the down makes the type anew. */
const addValue: Recipe = (world, random) => {
  const chosen = world.enums.at(-1)
  if (chosen === undefined) return createEnum(world, random)
  const { name, type, labels } = chosen
  const before = labels.map((label) => `'${label}'`).join(', ')
  const label = unique(world, 'label')
  labels.push(label)
  return {
    up: [`ALTER TYPE ${type} ADD VALUE '${label}'`],
    down: [
      `ALTER TYPE ${type} RENAME TO ${type}_old`,
      `CREATE TYPE ${type} AS ENUM (${before})`,
      `ALTER TABLE ${name} ALTER COLUMN mood TYPE ${type} USING mood::text::${type}`,
      `DROP TYPE ${type}_old`,
    ],
  }
}

/** Uses the newest value, which is only possible once the migration that added it has committed. */
const useValue: Recipe = (world, random) => {
  const chosen = world.enums.at(-1)
  if (chosen === undefined) return createEnum(world, random)
  const id = chosen.nextId
  chosen.nextId += 1
  const label = chosen.labels.at(-1) ?? 'calm'
  return {
    up: [`INSERT INTO ${chosen.name} VALUES (${id}, '${label}')`],
    down: [`DELETE FROM ${chosen.name} WHERE id = ${id}`],
  }
}

/** The child comes before its parent, so that the check is pending when the next migration begins. */
const deferred: Recipe = (world, random) => {
  const parent = random.pick(world.tables)
  const child = unique(world, 'child')
  const id = parent.nextId
  const { insert, remove } = rows(parent, 1)
  return {
    up: [
      `CREATE TABLE ${child} (id int PRIMARY KEY, parent int REFERENCES ${parent.name} (id) DEFERRABLE INITIALLY DEFERRED)`,
      `INSERT INTO ${child} VALUES (1, ${id})`,
      insert,
    ],
    down: [`DROP TABLE ${child}`, remove],
  }
}

const setTransaction: Recipe = (world, random) => {
  const draft = insertRows(world, random)
  return { ...draft, up: ['SET TRANSACTION ISOLATION LEVEL REPEATABLE READ', ...draft.up] }
}

/** Leaves a session in which unqualified names are not found. */
const emptySearchPath: Recipe = (world, random) => {
  const draft = insertRows(world, random)
  return { ...draft, up: [...draft.up, "SET search_path = ''"] }
}

/** Several statements that commit one by one. */
const concurrently: Recipe = (world, random) => {
  const { name: table } = random.pick(world.tables)
  const parts = Array.from({ length: random.integer(1, 4) }, (): Draft => {
    const index = unique(world, 'concurrent')
    const drop = random.chance(0.5) ? 'DROP INDEX CONCURRENTLY IF EXISTS' : 'DROP INDEX CONCURRENTLY'
    const on = random.chance(0.5) ? 'slow(id)' : 'name'
    const build: Draft = { up: [`CREATE INDEX CONCURRENTLY ${index} ON ${table} (${on})`], down: [`${drop} ${index}`] }
    return random.chance(0.65) ? build : random.pick([addColumn, insertRows, updateRows, createTable])(world, random)
  })
  return {
    up: parts.flatMap(({ up }) => up),
    down: parts.toReversed().flatMap(({ down }) => down),
    transactional: false,
  }
}

/** Code that fills a column in bounded, committed steps; begun anew, it goes on where it was. */
const backfill: Recipe = (world, random) => {
  const table = random.pick(world.tables)
  const column = unique(world, 'filled')
  const size = random.integer(1, 4)
  const fill = (limit: string): string =>
    `UPDATE ${table.name} SET ${column} = id * 3 WHERE id IN (SELECT id FROM ${table.name} WHERE ${column} IS NULL ORDER BY id LIMIT ${limit})`
  const rounds = Math.ceil((table.nextId - 1) / size)
  return {
    up: [
      `ALTER TABLE ${table.name} ADD COLUMN IF NOT EXISTS ${column} int`,
      ...Array.from({ length: rounds }, () => piece(fill(String(size)), { sql: fill('$1'), size })),
      `ALTER TABLE ${table.name} ALTER COLUMN ${column} SET DEFAULT 0`,
    ],
    down: [`ALTER TABLE ${table.name} DROP COLUMN IF EXISTS ${column}`],
    transactional: false,
    language: 'ts',
  }
}

/** Those that matter most stand there more than once. */
export const RECIPES: readonly Recipe[] = [
  createTable,
  addColumn,
  addColumn,
  insertRows,
  updateRows,
  addIndex,
  createEnum,
  addValue,
  addValue,
  useValue,
  deferred,
  setTransaction,
  emptySearchPath,
  concurrently,
  concurrently,
  concurrently,
  backfill,
  backfill,
]
