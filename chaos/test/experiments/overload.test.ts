import { describe, expect, test } from 'vitest'
import type { Offered } from '../../overload/plan.ts'
import { inShort, type Round, type Seen, violationsOf } from '../../overload/verdict.ts'

const latencies = (p99Ms: number) => ({ p50Ms: p99Ms / 2, p99Ms, maxMs: p99Ms * 2 })

const offered = (change: Partial<Offered> = {}): Offered => ({
  sent: 1_000,
  answered: 1_000,
  refused: 0,
  failed: 0,
  answeredPerSecond: 1_000,
  answers: latencies(10),
  settled: latencies(10),
  refusals: latencies(0),
  lateP99Ms: 1,
  firstFailure: null,
  ...change,
})

const over = (change: Partial<Offered> = {}) =>
  offered({ answered: 333, refused: 667, refusals: latencies(3), ...change })

const round: Round = {
  peak: offered(),
  calm: offered(),
  over: over({ answers: latencies(60), settled: latencies(19) }),
  after: offered(),
}
type Change = Partial<Round> & Partial<Omit<Seen, 'rounds'>>

/** What a run saw that had one round, or some that were alike. */
const seen = ({ residentMb = 1_000, growthMb = 5, ...change }: Change = {}, rounds = 1): Seen => ({
  rounds: Array.from({ length: rounds }, () => ({ ...round, ...change })),
  residentMb,
  growthMb,
})

describe('the judgement of an overload', () => {
  test('finds nothing where all is well', () => {
    expect(violationsOf(seen())).toEqual([])
  })

  test.each<[string, Change]>([
    ['goodput', { over: over({ answeredPerSecond: 890 }) }],
    ['admitted p99', { over: over({ settled: latencies(21) }) }],
    ['slowest answer', { over: over({ answers: latencies(501) }) }],
    ['p99 of refusals', { over: over({ refusals: latencies(51) }) }],
    ['80% load before', { calm: offered({ answered: 990, refused: 10 }) }],
    ['after the overload', { after: offered({ answered: 900, refused: 100 }) }],
    ['memory grew', { growthMb: 100 }],
    ['memory reached', { residentMb: 1_600 }],
    ['status 500', { over: over({ failed: 1, firstFailure: 'status 500' }) }],
  ])('notices what is wrong with: %s', (what, change) => {
    const violations = violationsOf(seen(change))
    expect(violations).toHaveLength(1)
    expect(violations[0]).toContain(what)
  })

  test.each<[string, Change]>([
    ['goodput', { over: over({ answeredPerSecond: 500 }) }],
    ['admitted p99', { over: over({ settled: latencies(60) }) }],
    ['slowest answer', { over: over({ answers: latencies(501) }) }],
    ['p99 of refusals', { over: over({ refusals: latencies(200) }) }],
    ['80% load before', { calm: offered({ answered: 800, refused: 200 }) }],
    ['after the overload', { after: offered({ answered: 800, refused: 200 }) }],
    ['memory reached', { residentMb: 1_600 }],
  ])('allows a short run more, but no collapse of: %s', (what, change) => {
    const short = seen({ over: over({ refusals: latencies(80) }), growthMb: 300 })
    expect(violationsOf(short, inShort)).toEqual([])
    expect(violationsOf(seen(change), inShort).join()).toContain(what)
  })

  test('takes the median of the rounds, each compared with itself', () => {
    const slow = { ...round, over: over({ answeredPerSecond: 500, settled: latencies(90) }) }
    const slowMachine = {
      peak: offered({ answeredPerSecond: 500 }),
      calm: offered({ answeredPerSecond: 500, settled: latencies(50) }),
      over: over({ answeredPerSecond: 480, settled: latencies(90) }),
      after: offered(),
    }
    const of = (...rounds: readonly Round[]) => violationsOf({ ...seen(), rounds })
    expect(of(round, slowMachine, slowMachine)).toEqual([])
    expect(of(round, round, slow)).toEqual([])
    expect(of(round, slow, slow)).toHaveLength(2)
  })

  test('allows no failure in any round', () => {
    const failing = { ...round, calm: offered({ failed: 1, firstFailure: 'status 500' }) }
    const rounds = [round, round, failing]
    expect(violationsOf({ ...seen(), rounds }).join()).toContain('calm: 1 failed: status 500')
  })
})
