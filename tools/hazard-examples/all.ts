import { AFTERMATH_EXAMPLES } from './aftermath.ts'
import { CLIENT_EXAMPLES } from './clients.ts'
import type { Example } from './example.ts'
import { LOCK_EXAMPLES } from './locks.ts'
import { REWRITE_EXAMPLES } from './rewrites.ts'

/** By id. What only a live database shows has none. */
export const EXAMPLES: Readonly<Record<string, Example>> = {
  ...LOCK_EXAMPLES,
  ...REWRITE_EXAMPLES,
  ...CLIENT_EXAMPLES,
  ...AFTERMATH_EXAMPLES,
}
