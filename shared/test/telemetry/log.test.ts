import { expect, test } from 'vitest'
import { type Logger, sparingly } from '../../src/index.ts'

test('an event is told once in ten seconds, and then with how often it was left out', () => {
  const told: object[] = []
  const logger = { warn: (fields: object) => told.push(fields) } as unknown as Logger
  let nowMs = 0
  const warn = sparingly(logger, { monotonicMs: () => nowMs })
  for (; nowMs < 10_000; nowMs += 1_000) warn('watch-broken', { reason: 'r' })
  warn('lease-lost', {})
  warn('watch-broken', { reason: 's' })
  expect(told).toEqual([
    { event: 'watch-broken', reason: 'r', leftOut: 0 },
    { event: 'lease-lost', leftOut: 0 },
    { event: 'watch-broken', reason: 's', leftOut: 9 },
  ])
})
