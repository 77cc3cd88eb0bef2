import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../clock.ts'

export const systemClock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
  sleep: async (milliseconds) => {
    await delay(milliseconds)
  },
}
