import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // Tests wait for servers and processes: with as many as there are cores, one core in five has nothing to do.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    testTimeout: 90_000,
    hookTimeout: 120_000,
    sequence: { shuffle: true, sequencer: LongestFirst },
  },
})
