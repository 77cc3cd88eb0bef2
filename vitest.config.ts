import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    testTimeout: 90_000,
    // One server for all: DROP DATABASE waits for every backend, also one whose client does not read or log in.
    retry: 1,
    hookTimeout: 120_000,
    sequence: { shuffle: true },
  },
})
