import type { Log, LogFields } from '../../lambda/log.ts'
import type { Style } from './style.ts'
import { count, formatBytes, formatDuration } from './units.ts'

type Level = 'info' | 'warn' | 'error'

interface ProgressEvent {
  readonly level: Level
  readonly message: string
  readonly fields: LogFields
  /** Since the command began. */
  readonly elapsedMs: number
}

/** One line: time since the start, what happened to which migration, and the other facts in brackets. */
function renderProgress(event: ProgressEvent, style: Style): string {
  const { migration, tablesTotal, ...others } = event.fields
  const known = Object.entries(others).filter(([, value]) => value !== null)
  const facts = known.map(([name, value]) =>
    name === 'tables' && typeof tablesTotal === 'number'
      ? `${String(value)} of ${tablesTotal} tables`
      : factOf(name, value),
  )
  const parts = [
    subjectOf(decorate(event, style), event.message, migration),
    ...(facts.length > 0 ? [style.quiet(`(${facts.join(', ')})`)] : []),
  ]
  const elapsed = `${(event.elapsedMs / 1000).toFixed(2)}s`.padStart(8)
  return `${style.quiet(elapsed)}  ${parts.join(' ').replaceAll('\n', `\n${' '.repeat(10)}`)}`
}

/** A verb such as "applied" stands before the migration; a sentence, such as one of its own, behind it. */
function subjectOf(shown: string, message: string, migration: LogFields[string] | undefined): string {
  if (typeof migration !== 'string') return shown
  return message.includes(' ') ? `${migration}: ${shown}` : `${shown} ${migration}`
}

function decorate({ level, message }: ProgressEvent, style: Style): string {
  if (level === 'warn') return style.attention(`! ${message}`)
  return level === 'error' ? style.bad(`✗ ${message}`) : message
}

function factOf(name: string, value: LogFields[string]): string {
  if (typeof value === 'number' && name === 'leftMs') return `${formatDuration(value)} left`
  if (typeof value === 'number' && name.endsWith('Ms')) return formatDuration(value)
  if (typeof value === 'number' && name === 'percent') return `${value} %`
  if (typeof value === 'number' && name === 'rows') return count(value, 'row')
  if (typeof value === 'number' && name === 'bytes') return formatBytes(value)
  const text = Array.isArray(value) ? value.join(' ') : String(value)
  return `${name} ${text}`
}

/** A log that writes one line per event. `write` receives the line with its line break. */
export function progressLog(options: {
  readonly write: (line: string) => void
  readonly style: Style
  /** Monotonic milliseconds. */
  readonly now: () => number
}): Log {
  const began = options.now()
  const at =
    (level: Level): Log['info'] =>
    (message, fields = {}) => {
      const event = { level, message, fields, elapsedMs: options.now() - began }
      options.write(`${renderProgress(event, options.style)}\n`)
    }
  return { info: at('info'), warn: at('warn'), error: at('error') }
}
