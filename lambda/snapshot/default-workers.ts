import { availableParallelism } from 'node:os'

/**
 * More do not help a small server, and cost the application connections. Nor does more than one that waits for the
 * server while every core compresses: on two cores, 3 copied a gigabyte in 5.15 s, 4 in 5.42 s, and 2 in 5.58 s.
 */
export const DEFAULT_WORKERS = Math.min(4, availableParallelism() + 1)
