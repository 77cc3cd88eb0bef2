import { expect, test } from 'vitest'
import { affectedTables } from '../../../../lambda/engine/affected/affected-tables.ts'
import type { Connection } from '../../../../lambda/engine/database.ts'
import { randomFor } from '../../../chaos/random.ts'
import { createDatabase } from '../../../support/database.ts'
import { differences, printsOf, runAll, stepOf } from './support.ts'
import { randomMigration, randomSchema } from './random-schema.ts'

const ROUNDS = Number(process.env.LOCKSTEP_AFFECTED_ROUNDS ?? 30)
const SEED = Number(process.env.LOCKSTEP_AFFECTED_SEED ?? 1)

interface Round {
  readonly statements: readonly string[]
  /** Changed on the server, but not foreseen. */
  readonly missed: readonly string[]
  readonly changed: number
  readonly foreseen: number
  readonly tables: number
}

async function play(connection: Connection, round: number): Promise<Round> {
  const random = randomFor(SEED, round)
  const schema = randomSchema(random)
  await connection.execute('BEGIN')
  try {
    await runAll(connection, schema.statements)
    const migration = randomMigration(random, schema)
    const affected = await affectedTables(connection, [await stepOf(migration.join(';\n'))])
    const before = await printsOf(connection)
    const statements = await runAll(connection, migration)
    const changed = differences(before, await printsOf(connection))
    if (affected.kind === 'unsure')
      return { statements, missed: [], changed: changed.length, foreseen: before.size, tables: before.size }
    const known = new Set(affected.tables.map(({ schema, name }) => `${schema}.${name}`))
    const missed = changed.filter((name) => !known.has(name))
    return { statements, missed, changed: changed.length, foreseen: known.size, tables: before.size }
  } finally {
    await connection.execute('ROLLBACK')
  }
}

test(`random migrations change no table that was not foreseen (${ROUNDS} rounds, seed ${SEED})`, async () => {
  const connection = await (await createDatabase()).connect()
  const rounds: Round[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const played = await play(connection, round)
    expect.soft({ round, ...played }).toMatchObject({ missed: [] })
    rounds.push(played)
  }
  const sum = (of: (round: Round) => number): number => rounds.reduce((total, round) => total + of(round), 0)
  // What is foreseen would mean nothing if it were always everything, or if nothing ever changed.
  expect(sum(({ changed }) => changed)).toBeGreaterThan(ROUNDS / 2)
  expect(sum(({ foreseen }) => foreseen)).toBeLessThan(sum(({ tables }) => tables) * 0.75)
})
