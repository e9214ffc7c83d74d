import { describe, expect, test } from 'vitest'
import { inShort, type Seen, violationsOf } from '../../experiments/overload.ts'
import type { Offered } from '../../overload/plan.ts'

const latencies = (p99Ms: number) => ({ p50Ms: p99Ms / 2, p99Ms, maxMs: p99Ms * 2 })

const offered = (change: Partial<Offered> = {}): Offered => ({
  sent: 1_000,
  answered: 1_000,
  refused: 0,
  failed: 0,
  answeredPerSecond: 1_000,
  answers: latencies(10),
  refusals: latencies(0),
  lateP99Ms: 1,
  firstFailure: null,
  ...change,
})

const over = (change: Partial<Offered> = {}) =>
  offered({ answered: 333, refused: 667, refusals: latencies(3), ...change })

const well: Seen = {
  peak: offered(),
  calm: offered(),
  over: over({ answers: latencies(19) }),
  after: offered(),
  residentMb: 1_000,
  growthMb: 5,
}

describe('the judgement of an overload', () => {
  test('finds nothing where all is well', () => {
    expect(violationsOf(well)).toEqual([])
  })

  test.each<[string, Partial<Seen>]>([
    ['goodput', { over: over({ answeredPerSecond: 890 }) }],
    ['admitted p99', { over: over({ answers: latencies(21) }) }],
    ['p99 of refusals', { over: over({ refusals: latencies(51) }) }],
    ['80% load', { calm: offered({ answered: 990, refused: 10 }) }],
    ['after the overload', { after: offered({ answered: 900, refused: 100 }) }],
    ['memory grew', { growthMb: 100 }],
    ['memory reached', { residentMb: 1_600 }],
    ['status 500', { over: over({ failed: 1, firstFailure: 'status 500' }) }],
  ])('notices what is wrong with: %s', (what, change) => {
    const violations = violationsOf({ ...well, ...change })
    expect(violations).toHaveLength(1)
    expect(violations[0]).toContain(what)
  })

  test.each<[string, Partial<Seen>]>([
    ['goodput', { over: over({ answeredPerSecond: 500 }) }],
    ['admitted p99', { over: over({ answers: latencies(60) }) }],
    ['p99 of refusals', { over: over({ refusals: latencies(200) }) }],
    ['80% load', { calm: offered({ answered: 800, refused: 200 }) }],
    ['after the overload', { after: offered({ answered: 800, refused: 200 }) }],
    ['memory reached', { residentMb: 1_600 }],
  ])('allows a short run more, but no collapse of: %s', (what, change) => {
    const short = { ...well, over: over({ refusals: latencies(80) }), growthMb: 300 }
    expect(violationsOf(short, inShort)).toEqual([])
    expect(violationsOf({ ...well, ...change }, inShort).join()).toContain(what)
  })
})
