import { defineConfig } from 'vitest/config'

/** The suites that need nothing installed. Real ones: vitest.cluster.config.ts and others. */
export default defineConfig({
  test: {
    include: ['*/test/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: [
      '**/node_modules/**',
      '**/*.cluster.test.ts',
      '**/*.compose.test.ts',
      '**/*.spark.test.ts',
    ],
    globalSetup: ['test/real-suites.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    // V8 may abort where threads come and go: docs/decisions/threads.md.
    execArgv: ['--wasm-wrapper-tiering-budget=1000000000'],
    retry: 0,
    passWithNoTests: false,
  },
})
