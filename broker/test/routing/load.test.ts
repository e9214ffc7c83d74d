import { limits, seededRandom } from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import { createLoad, noteAnswer, openMax } from '../../src/routing/load.ts'

type Play = {
  /** Requests in a millisecond at a time. */
  readonly rateAt: (ms: number) => number
  readonly forMs: number
  /** Mean time of work for one; the real ones vary around it. */
  readonly workMs: number
  /** There and back. */
  readonly wayMs?: number
  /** The node does nothing in this time. */
  readonly pauseMs?: readonly [from: number, to: number]
  /** So many come at once at this time. */
  readonly burst?: { readonly atMs: number; readonly count: number }
  /** The broker is busy: it sees answers, then requests, only so often. */
  readonly turnMs?: number
}

type Seen = { readonly sentMs: number; readonly tookMs: number | undefined }

/** A node that does one thing after another, and a broker that gives it what the load allows. */
function play(
  { rateAt, forMs, workMs, wayMs = 0.2, pauseMs, burst, turnMs = 0 }: Play,
  seed = 1,
): Seen[] {
  const random = seededRandom(seed)
  const load = createLoad()
  const seen: Seen[] = []
  const open: { sentMs: number; doneMs: number }[] = []
  let idleFromMs = 0
  const answerUntil = (nowMs: number) => {
    while (open.length > 0 && open[0]!.doneMs <= nowMs) {
      const { sentMs, doneMs } = open.shift()!
      const tookMs = doneMs - sentMs
      seen.push({ sentMs, tookMs })
      noteAnswer(load, { open: open.length, tookMs, nowMs: turnMs ? nowMs : doneMs }, limits)
    }
  }
  const ask = (nowMs: number) => {
    answerUntil(nowMs)
    if (open.length >= openMax(load, nowMs, limits))
      return seen.push({ sentMs: nowMs, tookMs: undefined })
    let startMs = Math.max(idleFromMs, nowMs + wayMs / 2)
    if (pauseMs && startMs >= pauseMs[0] && startMs < pauseMs[1]) startMs = pauseMs[1]
    idleFromMs = startMs + workMs * (0.5 + random())
    return open.push({ sentMs: nowMs, doneMs: idleFromMs + wayMs / 2 })
  }
  let nowMs = 0
  let [waiting, nextTurnMs] = [0, 0]
  let isBurstDue = burst !== undefined
  while (nowMs < forMs) {
    nowMs += -Math.log(1 - random()) / rateAt(nowMs)
    if (turnMs > 0) {
      waiting += 1
      if (nowMs < nextTurnMs) continue
      nextTurnMs = nowMs + turnMs
      answerUntil(nowMs)
      for (; waiting > 0; waiting -= 1) ask(nowMs)
      continue
    }
    if (isBurstDue && burst && nowMs >= burst.atMs) {
      for (let i = 0; i < burst.count; i += 1) ask(nowMs)
      isBurstDue = false
    }
    ask(nowMs)
  }
  answerUntil(Number.POSITIVE_INFINITY)
  return seen
}

const times = (seen: readonly Seen[]) =>
  seen.flatMap(({ tookMs }) => (tookMs === undefined ? [] : [tookMs])).sort((a, b) => a - b)
const p99 = (seen: readonly Seen[]) => times(seen)[Math.floor(times(seen).length * 0.99)]!
const refused = (seen: readonly Seen[]) => seen.filter(({ tookMs }) => tookMs === undefined).length

describe.each([0.3, 1, 10])('a node that works %f ms for an answer', (workMs) => {
  const full = 1 / workMs
  const forMs = 30_000 * Math.max(1, workMs)

  test('is given all that it can do at 80% of its capacity', () => {
    expect(refused(play({ rateAt: () => 0.8 * full, forMs, workMs }))).toBe(0)
  })

  test('at three times its capacity stays busy, and what it is given stays fast', () => {
    const calm = play({ rateAt: () => 0.8 * full, forMs, workMs })
    const seen = play({ rateAt: () => 3 * full, forMs, workMs })
    expect(times(seen).length).toBeGreaterThan(0.9 * full * forMs)
    expect(p99(seen)).toBeLessThan(2 * p99(calm))
  })

  test('stays fast although the broker sees answers and requests in heaps', () => {
    const seen = play({ rateAt: () => 3 * full, forMs: 5_000 * workMs, workMs, turnMs: 40 })
    const longestMs = Math.max(...seen.map(({ tookMs = 0 }) => tookMs))
    expect(longestMs).toBeLessThan(200 * workMs + 2 * limits.overloadQueueMs)
  })

  test('is given everything again soon after', () => {
    const rateAt = (ms: number) => (ms < 10_000 ? 3 * full : 0.8 * full)
    const seen = play({ rateAt, forMs: 60_000, workMs })
    const soon = 10_000 + 400 * workMs
    const between = (from: number, to: number) =>
      seen.filter(({ sentMs }) => sentMs > from && sentMs <= to)
    const first = between(10_000, soon)
    expect(refused(first) / first.length).toBeLessThan(0.1)
    const later = between(soon, 60_000)
    expect(refused(later)).toBe(0)
  })

  test('is given everything again although it pauses now and then', () => {
    const rateAt = (ms: number) => (ms < 10_000 ? 3 * full : 0.8 * full)
    const pauseMs = [10_000 + 100 * workMs, 10_000 + 150 * workMs] as const
    const seen = play({ rateAt, forMs: 60_000, workMs, pauseMs })
    const later = seen.filter(({ sentMs }) => sentMs > 10_000 + 1_000 * workMs)
    expect(refused(later)).toBe(0)
  })

  test('is never given more than the bound, however slowly the load rises', () => {
    const seen = play({ rateAt: (ms) => full * (0.9 + (0.4 * ms) / forMs), forMs, workMs })
    const longestMs = times(seen).at(-1)!
    expect(longestMs).toBeLessThan((limits.nodeRequestsMax + 1) * workMs * 1.5 + 1)
  })
})

describe('nothing is refused', () => {
  test('in bursts', () => {
    const burst = { atMs: 5_000, count: 400 }
    expect(refused(play({ rateAt: () => 0.5, forMs: 10_000, workMs: 1, burst }))).toBe(0)
  })

  test.each([500, 900])('after a pause of %i ms', (ms) => {
    const pauseMs = [5_000, 5_000 + ms] as const
    expect(refused(play({ rateAt: () => 0.5, forMs: 10_000, workMs: 1, pauseMs }))).toBe(0)
  })

  test('while a machine does for half a second only two thirds of what is asked', () => {
    const rateAt = (ms: number) => (ms > 5_000 && ms < 5_500 ? 1.5 : 0.5)
    for (const seed of [1, 2, 3, 4, 5])
      expect(refused(play({ rateAt, forMs: 10_000, workMs: 1 }, seed))).toBe(0)
  })
})

test('a node that is far away is given as much as fills the way to it', () => {
  const wayMs = 50
  const seen = play({ rateAt: (ms) => (ms < 5_000 ? 0.8 : 3), forMs: 30_000, workMs: 1, wayMs })
  const late = seen.filter(({ sentMs, tookMs }) => sentMs > 6_000 && tookMs !== undefined)
  expect(late.length).toBeGreaterThan(0.9 * 24_000)
  expect(p99(late)).toBeLessThan(wayMs + 60)
})
