/** What a failed run left behind. */
export interface Aftermath {
  /** Ids of this run that stand applied. */
  readonly applied: readonly string[]
  readonly reverted: readonly string[]
  /** Ids that this run had committed and took back. */
  readonly undone: readonly string[]
  readonly partial: readonly { readonly id: string; readonly done: number; readonly of: number }[]
  readonly current: string | null
  /** Why something that was committed could not be reverted. */
  readonly obstacle: string | null
  /** The database is as it was before the run. */
  readonly rolledBack: boolean
}

/** The state of the database as sentences. */
export function describeState(aftermath: Aftermath): string {
  const at = aftermath.current === null ? 'no migration is applied' : `at ${aftermath.current}`
  if (aftermath.rolledBack) {
    const undone = aftermath.undone.length === 0 ? '' : ` (reverted: ${aftermath.undone.join(', ')})`
    return `The run was rolled back: the database is as it was before${undone}, ${at}.`
  }
  const parts = [
    aftermath.applied.length === 0 ? '' : `Applied by this run and still there: ${aftermath.applied.join(', ')}.`,
    aftermath.reverted.length === 0 ? '' : `Reverted: ${aftermath.reverted.join(', ')}.`,
    ...aftermath.partial.map(
      ({ id, done, of }) => `${id} is applied up to its statement ${done} of ${of}; the next run goes on after it.`,
    ),
    aftermath.obstacle ?? '',
    `The database is ${aftermath.current === null ? 'without any applied migration' : at}.`,
  ]
  return parts.filter((part) => part !== '').join(' ')
}
