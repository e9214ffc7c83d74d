import { defineConfig } from 'vitest/config'

/** The suites that require a real Spark; none of them skips. */
export default defineConfig({
  test: {
    include: ['*/test/**/*.spark.test.ts'],
    globalSetup: ['e2e/support/spark-server.ts'],
    testTimeout: 180_000,
    hookTimeout: 240_000,
    fileParallelism: false,
    // V8 may abort where threads come and go: docs/decisions/threads.md.
    execArgv: ['--wasm-wrapper-tiering-budget=1000000000'],
    retry: 0,
    passWithNoTests: false,
  },
})
