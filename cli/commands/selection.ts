import type { Command } from '../settings.ts'

/** The command that the arguments name, without the settings that all commands share. */
export type Selection = Omit<Command, 'settings'>

export type Select = (selection: Selection) => void

/** A selection with the usual behaviour. */
export function selectionOf(request: Selection['request'], changes: Partial<Selection> = {}): Selection {
  return { request, takeSnapshot: true, onFailure: 'revert', exitOnPending: false, ...changes }
}
