import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../lambda/errors.ts'
import type { ChaosServer } from './chaos-server.ts'
import type { Children } from './children.ts'
import { dropDatabases, emptyDatabase } from './empty-database.ts'
import { runMigrations } from './migration-round.ts'
import { writeSet } from './migration-set.ts'
import { deliverRequest } from './request-round.ts'
import { restore } from './restore-round.ts'
import { drawScenario, type Action, type FaultKind, type Scenario } from './scenario.ts'

/**
 * The state in which a fault left the database. `prefix`: whole segments of the run, as the history says. `partial`: so
 * many statements of a migration outside of a transaction, as its progress says. `between`: catalog or contents are not
 * what the history says; that must not be.
 */
export const STATES = ['old', 'new', 'prefix', 'partial', 'between'] as const
export type State = (typeof STATES)[number]

/** What a round found, in detail. */
export interface Findings {
  readonly state: State
  /** Empty when nothing was lost. */
  readonly problems: readonly string[]
  /** How many faults struck: none when everything was done before their instants. */
  readonly struck: number
  /** How often the run was tried, or delivered. */
  readonly invocations: number
  /** How long the lock, or for a restore the server, kept the next run waiting. */
  readonly waitedMs: number
  /** Half-made copies that a killed restore left. */
  readonly leftovers: number
  /** Whether a run that is over was still said to be running when there was nothing left to do. */
  readonly saidRunning: boolean
}

export interface RoundResult extends Findings {
  readonly round: number
  readonly action: Action
  readonly fault: FaultKind
  readonly seconds: number
}

/** Where and as what a round does its work. */
export interface Stage {
  readonly server: ChaosServer
  readonly children: Children
  /** Its database; what it makes beside it begins with the same name. */
  readonly database: string
  readonly files: string
  readonly snapshots: string
}

const DATABASE = 'subject'

/** Plays one round from its generation to the last check, on what the rounds before have left empty. */
export async function playRound(
  { server, children, directory }: Pick<Stage, 'server' | 'children'> & { readonly directory: string },
  seed: number,
  round: number,
): Promise<RoundResult> {
  const began = performance.now()
  const scenario = drawScenario(seed, round)
  const files = join(directory, `migrations-${round}`)
  const snapshots = join(directory, `snapshots-${round}`)
  const findings = await play({ server, children, database: DATABASE, files, snapshots }, scenario)
  await rm(snapshots, { recursive: true, force: true })
  const seconds = (performance.now() - began) / 1000
  return { ...findings, round, action: scenario.action, fault: scenario.faults[0].kind, seconds }
}

async function play(stage: Stage, scenario: Scenario): Promise<Findings> {
  try {
    await writeSet(stage.files, scenario.set)
    await dropDatabases(stage.server, `^${DATABASE}_`)
    await emptyDatabase(stage.server, DATABASE)
    return await perform(stage, scenario)
  } catch (error) {
    const problems = [`the round could not be played to its end: ${messageOf(error)}`]
    return { state: 'between', problems, struck: 0, invocations: 0, waitedMs: 0, leftovers: 0, saidRunning: false }
  }
}

async function perform(stage: Stage, scenario: Scenario): Promise<Findings> {
  switch (scenario.action) {
    case 'up':
    case 'down':
      return runMigrations(stage, scenario)
    case 'request':
      return deliverRequest(stage, scenario)
    case 'restore':
      return restore(stage, scenario)
    default:
      return scenario.action satisfies never
  }
}
