import { InvalidArgumentError, Option, type Command as Commander } from 'commander'
import type { DownTarget } from '../../lambda/actions.ts'
import { ENVIRONMENT, FAILURE_POLICIES, type FailurePolicy } from '../../lambda/contract.ts'
import { isPlanHash, PLAN_HASH_SYNTAX } from '../../lambda/engine/plan/plan-hash.ts'
import { parseCount } from '../options.ts'
import { PLAN_FORMATS, type PlanFormat } from '../settings.ts'
import { selectionOf, type Select } from './selection.ts'

interface DownOptions {
  readonly steps?: number
  readonly to?: string
}

interface PlanOptions extends DownOptions {
  readonly sql?: boolean
  readonly format: PlanFormat
  readonly down?: boolean
}

interface RunOptions {
  readonly dryRun?: boolean
  readonly plan?: string
  readonly snapshot: boolean
  readonly onFailure: FailurePolicy
}

/** Adds `plan`. */
export function addPlanCommand(program: Commander, select: Select): void {
  const command = program.command('plan').description('show what a run would do, without touching anything')
  command
    .option('--sql', 'print a script that psql runs with the same result, history included')
    .addOption(formatOption())
    .option('--to <id>', 'up to this migration; with --down, down to this one ("base": everything)')
    .option('--down', 'plan a revert')
    .addOption(stepsOption())
    .action((options: PlanOptions) => {
      if (options.steps !== undefined && !options.down) {
        command.error("error: option '--steps <number>' needs option '--down'")
      }
      const { sql: script = false, format } = options
      const target = options.down ? { down: downTarget(options) } : upTarget(options)
      const sql = script || format === 'markdown'
      select(selectionOf({ action: 'plan', ...target, sql, ...(script ? { script } : {}) }, { format }))
    })
}

/** Adds `up`. */
export function addUpCommand(program: Commander, select: Select): void {
  program
    .command('up')
    .description('apply the pending migrations')
    .option('--to <id>', 'stop after this migration')
    .addOption(dryRunOption())
    .addOption(planOption())
    .addOption(noSnapshotOption())
    .addOption(onFailureOption())
    .action((options: RunOptions & { readonly to?: string }) => {
      const request = options.dryRun
        ? ({ action: 'plan', ...upTarget(options), sql: false } as const)
        : ({ action: 'up', ...upTarget(options), ...agreedPlan(options) } as const)
      select(selectionOf(request, { takeSnapshot: options.snapshot, onFailure: options.onFailure }))
    })
}

/** Adds `down`. */
export function addDownCommand(program: Commander, select: Select): void {
  program
    .command('down')
    .description('revert applied migrations, newest first; without an option, the last one')
    .addOption(stepsOption())
    .option('--to <id>', 'revert everything after this migration ("base": everything)')
    .addOption(dryRunOption())
    .addOption(planOption())
    .addOption(noSnapshotOption())
    .addOption(onFailureOption())
    .option('--confirm <database>', 'name of the database, where its environment demands a confirmation')
    .action((options: RunOptions & DownOptions & { readonly confirm?: string }) => {
      const target = downTarget(options)
      const request = options.dryRun
        ? ({ action: 'plan', down: target, sql: false } as const)
        : ({ action: 'down', target, ...confirmation(options), ...agreedPlan(options) } as const)
      select(selectionOf(request, { takeSnapshot: options.snapshot, onFailure: options.onFailure }))
    })
}

function stepsOption(): Option {
  return new Option('--steps <number>', 'how many migrations to revert').argParser(parseCount).conflicts('to')
}

function formatOption(): Option {
  return new Option('--format <format>', 'text, or markdown for a comment on a pull request')
    .choices(PLAN_FORMATS)
    .default('text' satisfies PlanFormat)
    .conflicts('sql')
}

function dryRunOption(): Option {
  return new Option('--dry-run', 'show the plan and change nothing')
}

function planOption(): Option {
  return new Option('--plan <hash>', 'do what "plan" has shown with this hash, or nothing')
    .argParser(parsePlanHash)
    .conflicts('dryRun')
}

function parsePlanHash(value: string): string {
  if (!isPlanHash(value)) throw new InvalidArgumentError(`Give it whole: ${PLAN_HASH_SYNTAX}.`)
  return value
}

function agreedPlan({ plan }: RunOptions): { readonly plan?: string } {
  return plan === undefined ? {} : { plan }
}

function noSnapshotOption(): Option {
  return new Option('--no-snapshot', 'do not take a snapshot first')
}

function onFailureOption(): Option {
  return new Option('--on-failure <policy>', 'what to do about a failure that downs cannot take back')
    .choices(FAILURE_POLICIES)
    .default('revert' satisfies FailurePolicy)
    .env(ENVIRONMENT.onFailure)
}

function confirmation({ confirm }: { readonly confirm?: string }): { readonly confirm?: string } {
  return confirm === undefined ? {} : { confirm }
}

function upTarget(options: { readonly to?: string }): { readonly to?: string } {
  return options.to === undefined ? {} : { to: options.to }
}

function downTarget({ steps, to }: DownOptions): DownTarget {
  if (to === 'base') return { kind: 'base' }
  return to === undefined ? { kind: 'steps', steps: steps ?? 1 } : { kind: 'to', id: to }
}
