/** A fact worth telling while something long happens. Values are plain data, never secrets. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>

/** `DatabaseAhead`: how many migrations a rollback has left applied. */
export type MetricName = 'DatabaseAhead'

/** Where progress goes: structured JSON in Lambda, a readable line on a terminal's stderr. */
export interface Log {
  readonly info: (message: string, fields?: LogFields) => void
  readonly warn: (message: string, fields?: LogFields) => void
  readonly error: (message: string, fields?: LogFields) => void
  /** Counts what an alarm may be set on. @default forgotten: only CloudWatch keeps it */
  readonly metric?: (name: MetricName, value: number) => void
}

/** A log that forgets everything. */
export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} }
