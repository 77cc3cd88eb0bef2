import { setTimeout as delay } from 'node:timers/promises'

/** Waits until `condition` holds; fails after `timeoutMs`. */
export async function until(condition: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`The condition did not come true within ${timeoutMs} ms.`)
    await delay(20)
  }
}
