import { piece, type GeneratedMigration, type Piece } from './migration-set.ts'
import type { Random } from './random.ts'
import { base, RECIPES } from './recipes.ts'
import type { Draft, World } from './world.ts'

const FEWEST = 2
const MOST = 12

/** A random set of migrations that builds on itself, with sleeps in between. */
export function generateSet(random: Random): readonly GeneratedMigration[] {
  const world: World = { tables: [], enums: [], counter: 0 }
  return Array.from({ length: random.integer(FEWEST, MOST) }, (_, index) => {
    const recipe = index === 0 ? base : random.pick(RECIPES)
    return migrationOf(index, recipe(world, random), random)
  })
}

function migrationOf(index: number, draft: Draft, random: Random): GeneratedMigration {
  return {
    id: `${String(index + 1).padStart(3, '0')}_step`,
    transactional: draft.transactional ?? true,
    up: withSleeps(draft.up, random),
    down: withSleeps(draft.down, random),
  }
}

function withSleeps(statements: readonly string[], random: Random): readonly Piece[] {
  return statements.flatMap((sql) => {
    const sleep = random.chance(0.25) ? [piece(`SELECT pg_sleep(0.0${random.integer(1, 3)})`)] : []
    return [piece(sql), ...sleep]
  })
}
