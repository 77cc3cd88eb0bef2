import type { ActionRequest } from '../../lambda/actions.ts'
import type { Config } from '../../lambda/config.ts'

/** What a process is given to do. */
export type Job =
  | { readonly kind: 'command'; readonly args: readonly string[] }
  /** One delivery of a request to the function. */
  | {
      readonly kind: 'delivery'
      readonly config: Config
      readonly request: Extract<ActionRequest, { readonly action: 'up' | 'down' }>
      /** How often the run may ask in vain whether its time is over. Null: it has all the time. */
      readonly pauseAfter: number | null
    }

/** What a job came to. */
export interface JobEnd {
  /** Its JSON document; null when it was killed. */
  readonly answer: Answer | null
  readonly hung: boolean
}

/** The parts of the answers of `up`, `down` and `restore` that are checked. */
export interface Answer {
  readonly status?: 'succeeded' | 'failed' | 'paused'
  readonly runId?: string | null
  readonly rolledBack?: boolean
  readonly current?: string | null
  readonly replaced?: string | null
  readonly error?: { readonly code: string; readonly message: string; readonly state: string }
}

/** Ends every message of a child, and no JSON holds it. */
export const END = '\0'
