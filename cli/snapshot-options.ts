import { InvalidArgumentError, Option, type Command as Commander } from 'commander'
import { ENVIRONMENT } from '../lambda/contract.ts'
import { DEFAULT_SNAPSHOT_SETTINGS, MAX_SNAPSHOT_WORKERS, type SnapshotSettings } from '../lambda/snapshot-settings.ts'
import { parsePatterns, parseScope, PATTERN_SYNTAX, SCOPE_SYNTAX } from '../lambda/snapshot/scope.ts'

const MOST = 999_999

/** Adds the options that say what snapshots hold and which are kept. */
export function addSnapshotSettings(program: Commander): void {
  program
    .addOption(
      new Option('--snapshot-scope <scope>', 'whose rows a snapshot holds: database, affected or schemas:a,b')
        .default(DEFAULT_SNAPSHOT_SETTINGS.snapshotScope, DEFAULT_SNAPSHOT_SETTINGS.snapshotScope.kind)
        .argParser((text) => understood(parseScope(text), SCOPE_SYNTAX))
        .env(ENVIRONMENT.snapshotScope),
    )
    .addOption(
      new Option('--snapshot-exclude <patterns>', 'tables whose rows are left out: schema.table, with * for anything')
        .default(DEFAULT_SNAPSHOT_SETTINGS.snapshotExclude, 'none')
        .argParser((text) => understood(parsePatterns(text), PATTERN_SYNTAX))
        .env(ENVIRONMENT.snapshotExclude),
    )
    .addOption(
      new Option('--snapshot-workers <number>', 'how many sessions copy tables at the same time')
        .default(DEFAULT_SNAPSHOT_SETTINGS.snapshotWorkers, 'one more than there are cores, at most 4')
        .argParser((text) => countUpTo(MAX_SNAPSHOT_WORKERS, text))
        .env(ENVIRONMENT.snapshotWorkers),
    )
    .addOption(
      new Option('--snapshot-keep-last <number>', 'how many of the newest snapshots of a database are kept')
        .argParser((text) => countUpTo(MOST, text))
        .env(ENVIRONMENT.snapshotKeepLast),
    )
    .addOption(
      new Option('--snapshot-keep-days <days>', 'how long a snapshot is kept once there are newer ones')
        .argParser((text) => countUpTo(MOST, text))
        .env(ENVIRONMENT.snapshotKeepDays),
    )
}

/** The variables that these options are read from. */
export const SNAPSHOT_VARIABLES = [
  ENVIRONMENT.snapshotScope,
  ENVIRONMENT.snapshotExclude,
  ENVIRONMENT.snapshotWorkers,
  ENVIRONMENT.snapshotKeepLast,
  ENVIRONMENT.snapshotKeepDays,
] as const

/** The settings of a program that has parsed its arguments. */
export function snapshotSettingsOf(program: Commander): SnapshotSettings {
  const parsed = program.opts<Partial<SnapshotSettings>>()
  return snapshotSettings({ ...DEFAULT_SNAPSHOT_SETTINGS, ...parsed })
}

/** These settings alone, of an object that holds others beside them. */
export function snapshotSettings(from: SnapshotSettings): SnapshotSettings {
  const { snapshotScope, snapshotExclude, snapshotWorkers, snapshotKeepLast, snapshotKeepDays } = from
  return { snapshotScope, snapshotExclude, snapshotWorkers, snapshotKeepLast, snapshotKeepDays }
}

function understood<T>(value: T | null, syntax: string): T {
  if (value === null) throw new InvalidArgumentError(`Give ${syntax}.`)
  return value
}

function countUpTo(most: number, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text) && Number(text) <= most) return Number(text)
  throw new InvalidArgumentError(`Give a whole number from 1 to ${most}.`)
}
