import { defineConfig } from 'vitest/config'

/** The suites that need nothing installed. Real backends: vitest.cluster.config.ts. */
export default defineConfig({
  test: {
    include: ['*/test/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/*.cluster.test.ts', '**/*.compose.test.ts'],
    globalSetup: ['test/real-suites.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    retry: 0,
    passWithNoTests: false,
  },
})
