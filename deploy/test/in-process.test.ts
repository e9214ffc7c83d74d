import { setTimeout as delay } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { createInProcessUpstream } from '../local/in-process.ts'

type Direct =
  Parameters<typeof createInProcessUpstream>[0] extends ReadonlyMap<string, infer Node>
    ? Node extends { direct: infer D }
      ? D
      : never
    : never
type Peer = Parameters<ReturnType<typeof createInProcessUpstream>['call']>[0]

const peer = { instance: 'one' } as Peer
const request = { method: 'GET' as const, path: '/', headers: [], timeoutMs: 1_000 }
const reply = { status: 200, headers: {}, body: Buffer.from('said') }

function open(direct: Direct) {
  return createInProcessUpstream(new Map([['one', { direct }]]))
}

test('an answer comes as the node gave it, at once or later', async () => {
  const atOnce = open(() => reply)
  const later = open(async () => reply)
  expect(await atOnce.call(peer, request).reply).toEqual({ kind: 'reply', ...reply })
  expect(await later.call(peer, request).reply).toEqual({ kind: 'reply', ...reply })
})

test('nobody is reached where no such node is, or it has closed', async () => {
  const upstream = open(() => undefined)
  const stranger = { instance: 'two' } as Peer
  expect(await upstream.call(peer, request).reply).toMatchObject({ kind: 'unreached' })
  expect(await upstream.call(stranger, request).reply).toMatchObject({ kind: 'unreached' })
})

test('a node that breaks off has lost the request', async () => {
  const upstream = open(() => Promise.reject(new Error('broken')))
  expect(await upstream.call(peer, request).reply).toEqual({ kind: 'lost', why: 'broken' })
})

test('an answer that takes too long is late, and its coming changes nothing', async () => {
  const upstream = open(async () => {
    await delay(60)
    return reply
  })
  const under = upstream.call(peer, { ...request, timeoutMs: 10 })
  expect(await under.reply).toEqual({ kind: 'late' })
  await delay(80)
})

test('what nobody waits for any more is not begun', async () => {
  const direct = vi.fn(() => reply)
  const upstream = open(direct)
  const under = upstream.call(peer, request)
  under.cancel()
  expect(await under.reply).toEqual({ kind: 'cancelled' })
  await upstream.call(peer, request).reply
  expect(direct).toHaveBeenCalledTimes(1)
})

test('when the broker closes, what waits is given up', async () => {
  const direct = vi.fn(() => reply)
  const upstream = open(direct)
  const under = upstream.call(peer, request)
  await upstream.close()
  expect(await under.reply).toEqual({ kind: 'cancelled' })
  expect(direct).not.toHaveBeenCalled()
})

test('a long line lets everything else have its turn', async () => {
  const upstream = open(() => {
    const untilMs = performance.now() + 4
    while (performance.now() < untilMs);
    return reply
  })
  let answered = 0
  const all = Array.from({ length: 10 }, async () => {
    await upstream.call(peer, request).reply
    answered += 1
  })
  const seen: number[] = []
  const look = setInterval(() => seen.push(answered), 1)
  await Promise.all(all)
  clearInterval(look)
  expect(answered).toBe(10)
  // Between any two of them, not after all ten.
  expect(new Set(seen).size).toBeGreaterThan(5)
})
