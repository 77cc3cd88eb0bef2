import { generateSet } from './generate.ts'
import type { GeneratedMigration } from './migration-set.ts'
import { messagesOf } from './messages.ts'
import { randomFor, type Random } from './random.ts'

export const FAULTS = ['kill', 'cut', 'restart'] as const
export type FaultKind = (typeof FAULTS)[number]

/** `request`: an `up` or a `down` of the function, delivered again until it has ended, and paused in between. */
export const ACTIONS = ['up', 'down', 'restore', 'request'] as const
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
  /** Which way the run goes; a restore counts as `up`. */
  readonly direction: 'up' | 'down'
  /** How many migrations are applied before the run; for a restore, in the snapshot. */
  readonly start: number
  /** How many are to be applied after it; for a restore, what the database has come to since the snapshot. */
  readonly target: number
  /** Whether the run takes a snapshot before its first statement. */
  readonly takesSnapshot: boolean
  /** Whether a run in the other direction comes before the one that repairs: it may refuse, but not lose anything. */
  readonly turns: boolean
  /** The first strikes the run, the next the one that repairs. At least one. */
  readonly faults: readonly [Fault, ...Fault[]]
  readonly deliveries: Deliveries
}

/** With `request`: how it is delivered. */
export interface Deliveries {
  /** How often each delivery may ask in vain whether to pause, in turn. Null: it never pauses. */
  readonly pauses: readonly (number | null)[]
  /** Whether each waits until what the one before has left behind is over, and is looked at. */
  readonly apart: boolean
  /** The migration whose up fails, as its index in the set. */
  readonly failing: number | null
}

/** A restore takes the longest, and says the least. */
const MIXTURE = ['up', 'up', 'up', 'up', 'down', 'down', 'request', 'request', 'request', 'request', 'restore'] as const

/** The scenario of a round: the same for the same seed. */
export function drawScenario(seed: number, round: number): Scenario {
  const random = randomFor(seed, round)
  const set = generateSet(random)
  const action = random.pick(MIXTURE)
  const direction = directionOf(random, action)
  const scope = random.chance(0.7) ? 'run' : 'migration'
  const [start, target] = drawRange(random, action, direction, set.length)
  const takesSnapshot = action !== 'restore' && random.chance(0.12)
  const turns = action !== 'restore' && random.chance(0.2)
  const plain = { seed, round, set, scope, action, direction, start, target, takesSnapshot, turns } as const
  const deliveries = drawDeliveries(random, plain)
  return { ...plain, deliveries, faults: drawFaults(random, plain) }
}

type Plain = Omit<Scenario, 'faults' | 'deliveries'>

function directionOf(random: Random, action: Action): 'up' | 'down' {
  if (action === 'request') return random.chance(0.7) ? 'up' : 'down'
  return action === 'down' ? 'down' : 'up'
}

function drawRange(
  random: Random,
  action: Action,
  direction: 'up' | 'down',
  count: number,
): readonly [start: number, target: number] {
  if (direction === 'down') {
    const start = random.integer(1, count)
    return [start, random.integer(0, start - 1)]
  }
  const start = random.integer(action === 'restore' ? 1 : 0, count - 1)
  return [start, random.chance(0.7) ? count : random.integer(start + 1, count)]
}

function drawDeliveries(random: Random, { set, direction, start, target }: Plain): Deliveries {
  const candidates = set
    .map((migration, index) => ({ migration, index }))
    .filter(({ migration, index }) => index >= start && index < target && migration.language === 'sql')
    .map(({ index }) => index)
  const fails = direction === 'up' && candidates.length > 0 && random.chance(0.35)
  return {
    pauses: Array.from({ length: random.integer(1, 4) }, () => (random.chance(0.25) ? null : random.integer(0, 4))),
    apart: random.chance(0.5),
    failing: fails ? random.pick(candidates) : null,
  }
}

function drawFaults(random: Random, plain: Plain): readonly [Fault, ...Fault[]] {
  const most = messagesOf(plain)
  if (plain.action === 'request') {
    // One invocation of several sends a part of it.
    const kinds = random.chance(0.7) ? (['kill'] as const) : FAULTS
    const first = drawFault(random, kinds, most)
    const more = Array.from({ length: random.integer(0, 3) }, () => drawFault(random, kinds, Math.ceil(most * 0.7)))
    return [first, ...more]
  }
  const first = drawFault(random, FAULTS, most)
  return random.chance(0.3) ? [first, drawFault(random, FAULTS, most)] : [first]
}

function drawFault(random: Random, kinds: readonly FaultKind[], messages: number): Fault {
  return {
    kind: random.pick(kinds),
    moment: {
      message: random.integer(1, messages),
      when: random.pick(['before', 'during', 'during', 'answered'] as const),
      delayMs: random.integer(0, 60),
    },
    signal: random.chance(0.5) ? 'SIGQUIT' : 'SIGKILL',
    awayMs: random.chance(0.5) ? 0 : random.integer(0, 800),
  }
}
