import { together } from './together.ts'

/**
 * Does the tasks in their order: each worker takes the next one once it is free. When one fails, `cut`, told why, ends what the
 * others are at, and all have ended before the failure is thrown.
 */
export async function inParallel<W, T>(
  workers: readonly W[],
  tasks: readonly T[],
  work: (worker: W, task: T) => Promise<void>,
  cut: (reason: unknown) => void,
): Promise<void> {
  const queue = [...tasks]
  const serve = async (worker: W): Promise<void> => {
    try {
      for (let task = queue.shift(); task !== undefined; task = queue.shift()) await work(worker, task)
    } finally {
      // Nobody begins another once one has failed; at the end it is empty anyway.
      queue.length = 0
    }
  }
  await together(workers.map(serve), cut)
}
