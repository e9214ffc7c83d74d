import { describe, expect, test } from 'vitest'
import { keepLease } from '../../src/coordination/lease-keeper.ts'
import { manualClock } from '../support/manual-clock.ts'

type Answer = 'kept' | 'ended' | 'unknown'

/** A lease of 10 s over a backend that answers as it is told, after `answerMs`. */
function setUp(answers: (question: number) => Answer, answerMs = 0) {
  const clock = manualClock()
  const closing = new AbortController()
  const asked: number[] = []
  const lost: string[] = []
  const lease = keepLease({
    id: '7',
    ttlMs: 10_000,
    sentMs: 0,
    clock,
    closed: closing.signal,
    async keepAlive(signal) {
      asked.push(clock.monotonicMs())
      const answer = answers(asked.length)
      if (answerMs > 0) await clock.sleep(answerMs, signal)
      if (answer === 'unknown') throw new Error('no answer')
      return answer
    },
    revoke: async () => {},
    onLost: (reason) => lost.push(reason),
  })
  return { clock, closing, asked, lost, lease }
}

describe('a lease that is kept', () => {
  test('asks three times in its length, and counts from when it asked', async () => {
    const { clock, asked, lease } = setUp(() => 'kept', 500)
    expect(lease.validMs()).toBe(8_000)
    await clock.advance(3_334)
    expect(asked).toHaveLength(1)
    expect(lease.validMs()).toBeCloseTo(8_000 - 3_334, 0)
    await clock.advance(500)
    // The answer came 500 ms after the question: the validity is 500 ms shorter.
    expect(lease.validMs()).toBeCloseTo(10_000 / 3 + 8_000 - 3_834, 0)
    await clock.advance(60_000)
    expect(lease.lost.aborted).toBe(false)
    expect(asked.length).toBeGreaterThan(12)
  })

  test('questions without an answer are asked again soon, and do no harm for a while', async () => {
    const { clock, asked, lease } = setUp((n) => (n > 1 && n < 6 ? 'unknown' : 'kept'))
    await clock.advance(6_700)
    expect(asked).toHaveLength(2)
    await clock.advance(2_100)
    expect(asked).toHaveLength(6)
    expect(lease.lost.aborted).toBe(false)
    expect(lease.validMs()).toBeGreaterThan(7_500)
  })
})

describe('a lease that is lost', () => {
  test('runs out a fifth before its length when no answer comes', async () => {
    const { clock, lost, lease } = setUp(() => 'unknown')
    await clock.advance(7_999)
    expect(lease.lost.aborted).toBe(false)
    await clock.advance(1)
    expect(lease.lost.aborted).toBe(true)
    expect(lost).toEqual(['not confirmed in time'])
  })

  test('is lost as soon as the backend says so, and asks no more', async () => {
    const { clock, asked, lost, lease } = setUp(() => 'ended')
    await clock.advance(3_334)
    expect(lost).toEqual(['the backend has ended it'])
    expect(lease.validMs()).toBe(0)
    await clock.advance(60_000)
    expect(asked).toHaveLength(1)
  })

  test('stays lost though a confirmation arrives late', async () => {
    const { clock, lease } = setUp(() => 'kept', 5_000)
    await clock.advance(8_000)
    expect(lease.lost.aborted).toBe(true)
    await clock.advance(1_000)
    expect(lease.validMs()).toBe(0)
  })

  test('is lost with the coordinator, and is told once', async () => {
    const { clock, closing, lost, lease } = setUp(() => 'kept')
    closing.abort()
    expect(lease.lost.aborted).toBe(true)
    await lease.revoke(new AbortController().signal)
    await clock.advance(60_000)
    expect(lost).toEqual(['the coordinator was closed'])
  })
})
