import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // The default leaves one core out: of two, half. Tests wait for servers and processes more than they compute.
    maxWorkers: '100%',
    testTimeout: 90_000,
    hookTimeout: 120_000,
    sequence: { shuffle: true },
  },
})
