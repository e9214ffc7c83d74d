import { defineConfig } from 'vitest/config'

/** The suites that require real etcd and a real CQL database; none of them skips. */
export default defineConfig({
  test: {
    include: ['*/test/**/*.cluster.test.ts'],
    globalSetup: ['e2e/support/real-servers.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    fileParallelism: false,
    retry: 0,
    passWithNoTests: false,
  },
})
