import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    testTimeout: 90_000,
    // One server for all: CREATE DATABASE waits for every backend, also one that another test has just cut off.
    retry: 1,
    hookTimeout: 120_000,
    sequence: { shuffle: true },
  },
})
