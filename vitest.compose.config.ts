import { defineConfig } from 'vitest/config'

/** docker-compose.yml as it is written, on a real container engine. See docs/compose.md. */
export default defineConfig({
  test: {
    include: ['deploy/compose/**/*.compose.test.ts'],
    testTimeout: 240_000,
    hookTimeout: 900_000,
    fileParallelism: false,
    retry: 0,
    passWithNoTests: false,
  },
})
