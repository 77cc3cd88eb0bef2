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
  const transactional = draft.transactional ?? true
  return {
    id: `${String(index + 1).padStart(3, '0')}_step`,
    language: draft.language ?? (canBeCode(draft) && random.chance(0.2) ? 'ts' : 'sql'),
    transactional,
    up: draft.language === 'ts' ? draft.up.map(asPiece) : withSleeps(draft.up, random),
    down: draft.language === 'ts' ? draft.down.map(asPiece) : withSleeps(draft.down, random),
  }
}

/** What splits a run cannot be seen in code. */
function canBeCode({ up, down, transactional = true }: Draft): boolean {
  return transactional && ![...up, ...down].map(asPiece).some(({ sql }) => /^SET TRANSACTION|ADD VALUE/.test(sql))
}

function withSleeps(statements: Draft['up'], random: Random): readonly Piece[] {
  return statements.flatMap((statement) => {
    const sleep = random.chance(0.25) ? [piece(`SELECT pg_sleep(0.0${random.integer(1, 3)})`)] : []
    return [asPiece(statement), ...sleep]
  })
}

function asPiece(statement: string | Piece): Piece {
  return typeof statement === 'string' ? piece(statement) : statement
}
