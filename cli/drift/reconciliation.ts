/** Which way to go: back to what the history says, or along with what somebody has changed. */
export const RECONCILIATIONS = ['revert', 'adopt'] as const
export type Reconciliation = (typeof RECONCILIATIONS)[number]
