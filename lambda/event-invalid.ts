import { LockstepError, UNTOUCHED } from './errors.ts'

/** The error for an event that is refused before anything is done. */
export function invalidEvent(message: string, remedy: string): LockstepError {
  return new LockstepError({ code: 'EVENT_INVALID', message, state: UNTOUCHED, remedy })
}

/** More of a value helps nobody to find it again. Characters. */
const LONGEST_VALUE = 100
const MOST_NAMES = 5

/** A value of an event, as its error names it. */
export function shown(value: unknown): string {
  return shortened(JSON.stringify(value) ?? 'undefined')
}

/** Keys of an event, as its error names them. */
export function shownNames(names: readonly string[]): string {
  const more = names.length - MOST_NAMES
  const first = names.slice(0, MOST_NAMES).map((name) => `"${shortened(name)}"`)
  return `${first.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

function shortened(text: string): string {
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}…`
}
