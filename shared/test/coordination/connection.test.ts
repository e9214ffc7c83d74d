import type { Etcd3 } from 'etcd3'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { connect } from '../../src/coordination/etcd/connection.ts'

const callTimeoutMs = 200

/** A connection to three members, and which of them is asked. */
async function setUp() {
  let aheadMs = 0
  const connection = await connect({
    endpoints: ['a', 'b', 'c'],
    clock: { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs },
    random: () => 0,
    callTimeoutMs,
    onEvent: () => {},
    createClient: (endpoint) => ({ endpoint, close: () => {} }) as unknown as Etcd3,
  })
  // A client that has only just been made is given a moment.
  aheadMs = 60_000
  const asked = async () =>
    await connection.call('who', async (client) => client, AbortSignal.timeout(1_000))
  const silent = (signal: AbortSignal) =>
    connection.call('silent', () => new Promise(() => {}), signal)
  return {
    asked: async () => ((await asked()) as unknown as { endpoint: string }).endpoint,
    silent,
  }
}

describe('a member that says nothing', () => {
  test('is left for the next one, whoever it is that loses patience first', async () => {
    const { asked, silent } = await setUp()
    expect(await asked()).toBe('a')
    await expect(silent(AbortSignal.timeout(callTimeoutMs))).rejects.toThrow()
    expect(await asked()).toBe('b')
  })

  test('is not blamed when the caller goes away, or is in a hurry', async () => {
    const { asked, silent } = await setUp()
    const leaving = new AbortController()
    setTimeout(() => leaving.abort(), callTimeoutMs * 0.75)
    await expect(silent(leaving.signal)).rejects.toThrow()
    await expect(silent(AbortSignal.timeout(callTimeoutMs / 10))).rejects.toThrow()
    expect(await asked()).toBe('a')
  })
})
