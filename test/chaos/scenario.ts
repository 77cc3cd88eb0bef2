import { generateSet } from './generate.ts'
import type { GeneratedMigration } from './migration-set.ts'
import { randomFor, type Random } from './random.ts'

export const FAULTS = ['kill', 'cut', 'restart'] as const
export type FaultKind = (typeof FAULTS)[number]

export const ACTIONS = ['up', 'down', 'restore'] as const
export type Action = (typeof ACTIONS)[number]

/** An instant of a run, told by what its process sends, so that a seed finds it again. */
export interface Moment {
  /** Number of the message from the process to the server, counted from its first connect on. */
  readonly message: number
  /** Before the server gets the message; while it works on it; when its answer is under way. */
  readonly when: 'before' | 'during' | 'answered'
  /** With `during`: how long after the server got it. Milliseconds. */
  readonly delayMs: number
}

export interface Fault {
  readonly kind: FaultKind
  readonly moment: Moment
  /** With `restart`: an immediate shutdown, or a crash that leaves everything as it lies. */
  readonly signal: 'SIGQUIT' | 'SIGKILL'
  /** With `restart`: how long the server is away. Milliseconds. */
  readonly awayMs: number
}

/** Everything that is random of a round. */
export interface Scenario {
  readonly seed: number
  readonly round: number
  readonly set: readonly GeneratedMigration[]
  readonly scope: 'run' | 'migration'
  readonly action: Action
  /** How many migrations are applied before the run; for a restore, in the snapshot. */
  readonly start: number
  /** How many are to be applied after it; for a restore, what the database has come to since the snapshot. */
  readonly target: number
  readonly fault: Fault
}

/** The scenario of a round: the same for the same seed. */
export function drawScenario(seed: number, round: number): Scenario {
  const random = randomFor(seed, round)
  const set = generateSet(random)
  const action = random.pick(['up', 'up', 'up', 'up', 'down', 'down', 'down', 'restore'] as const)
  const scope = random.chance(0.7) ? 'run' : 'migration'
  const [start, target] = drawRange(random, action, set.length)
  const plain = { seed, round, set, scope, action, start, target } as const
  return { ...plain, fault: drawFault(random, messagesOf(plain)) }
}

function drawRange(random: Random, action: Action, count: number): readonly [start: number, target: number] {
  if (action === 'down') {
    const start = random.integer(1, count)
    return [start, random.integer(0, start - 1)]
  }
  const start = random.integer(action === 'up' ? 0 : 1, count - 1)
  return [start, random.chance(0.7) ? count : random.integer(start + 1, count)]
}

function drawFault(random: Random, messages: number): Fault {
  return {
    kind: random.pick(FAULTS),
    moment: {
      message: random.integer(1, messages),
      when: random.pick(['before', 'during', 'during', 'answered'] as const),
      delayMs: random.integer(0, 60),
    },
    signal: random.chance(0.5) ? 'SIGQUIT' : 'SIGKILL',
    awayMs: random.chance(0.5) ? 0 : random.integer(0, 800),
  }
}

const CONNECT_MESSAGES = 3
/** Lock, state, record of the run, look for constraints; unlock and leave. */
const RUN_MESSAGES = 7
const RESTORE_MESSAGES = 40

/** About how many messages the run sends. */
function messagesOf({ set, action, start, target }: Omit<Scenario, 'fault'>): number {
  if (action === 'restore') return RESTORE_MESSAGES + start * 2
  const steps = set.slice(Math.min(start, target), Math.max(start, target))
  const each = steps.map((migration) => {
    const pieces = migration[action]
    // Outside of a transaction: the progress after each, and the look for invalid indexes before a build.
    return migration.transactional
      ? pieces.length + 2
      : pieces.length * 2 + pieces.filter(({ alone }) => alone).length + 3
  })
  return CONNECT_MESSAGES + RUN_MESSAGES + each.reduce((sum, count) => sum + count, 0)
}
