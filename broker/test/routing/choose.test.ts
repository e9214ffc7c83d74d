import { seededRandom } from '@almanac/shared'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  areAllBusy,
  byRendezvous,
  chooseForShard,
  choosePeer,
  restingPeers,
} from '../../src/routing/choose.ts'
import { answered, createPeer, isResting, type Peer, rest } from '../../src/routing/peer.ts'

const restBounds = { nodeRestMs: 250, nodeRestMaxMs: 10_000 }
const peer = (port: number, change: Partial<Peer> = {}): Peer =>
  Object.assign(createPeer({ ip: '10.0.0.1', port, instance: `i${port}` }), change)
const choice = (change = {}) => ({
  nowMs: 1_000,
  random: seededRandom(1),
  openMax: () => 10,
  isExcluded: () => false,
  ...change,
})

describe('the choice of a node', () => {
  test('the less busy of two is taken', () => {
    const [busy, idle] = [peer(1, { inFlight: 5 }), peer(2)]
    for (let i = 0; i < 20; i += 1)
      expect(choosePeer({ confirmed: [busy, idle], unconfirmed: [] }, choice())).toBe(idle)
  })

  test('all nodes get their share', () => {
    const peers = [1, 2, 3, 4].map((port) => peer(port))
    const random = seededRandom(7)
    const counts = new Map<Peer, number>()
    for (let i = 0; i < 4_000; i += 1) {
      const chosen = choosePeer({ confirmed: peers, unconfirmed: [] }, choice({ random }))!
      counts.set(chosen, (counts.get(chosen) ?? 0) + 1)
    }
    for (const one of peers) expect(counts.get(one)).toBeGreaterThan(700)
  })

  test('an unconfirmed node is asked only when no confirmed one is left', () => {
    const [sure, unsure] = [peer(1), peer(2)]
    const holders = { confirmed: [sure], unconfirmed: [unsure] }
    expect(choosePeer(holders, choice())).toBe(sure)
    expect(choosePeer(holders, choice({ isExcluded: (p: Peer) => p === sure }))).toBe(unsure)
  })

  test('an unconfirmed healthy node goes before a confirmed one that rests', () => {
    const [bad, unsure] = [peer(1, { restsUntilMs: 5_000 }), peer(2)]
    expect(choosePeer({ confirmed: [bad], unconfirmed: [unsure] }, choice())).toBe(unsure)
  })

  test('a node at its limit of open requests is not asked', () => {
    const full = peer(1, { inFlight: 10 })
    const holders = { confirmed: [full], unconfirmed: [] }
    expect(choosePeer(holders, choice())).toBeUndefined()
    expect(areAllBusy(holders, choice())).toBe(true)
  })

  test('whoever is excluded, or does not have it, is never chosen; a free one always is', () => {
    const arbitrary = fc.array(
      fc.record({
        inFlight: fc.integer({ min: 0, max: 12 }),
        restsUntilMs: fc.integer({ min: 0, max: 3_000 }),
        excluded: fc.boolean(),
        confirmed: fc.boolean(),
      }),
      { maxLength: 8 },
    )
    fc.assert(
      fc.property(arbitrary, fc.integer(), (list, seed) => {
        const peers = list.map((one, i) => ({ ...one, peer: peer(i, one) }))
        const of = (confirmed: boolean) =>
          peers.filter((one) => one.confirmed === confirmed).map((one) => one.peer)
        const excluded = new Set(peers.filter((one) => one.excluded).map((one) => one.peer))
        const free = peers.filter((one) => !one.excluded && one.inFlight < 10)
        const chosen = choosePeer(
          { confirmed: of(true), unconfirmed: of(false) },
          choice({ random: seededRandom(seed), isExcluded: (p: Peer) => excluded.has(p) }),
        )
        if (free.length === 0) expect(chosen).toBeUndefined()
        else expect(free.map((one) => one.peer)).toContain(chosen)
      }),
    )
  })
})

describe('resting', () => {
  test('each failure in a row doubles the rest, up to the longest', () => {
    const one = peer(1)
    const pauses: number[] = []
    for (let nowMs = 0, i = 0; i < 8; i += 1) {
      rest(one, nowMs, restBounds)
      pauses.push(one.restsUntilMs - nowMs)
      nowMs = one.restsUntilMs
    }
    expect(pauses).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
  })

  test('failures that arrive while it rests do not prolong the rest', () => {
    const one = peer(1)
    for (let i = 0; i < 50; i += 1) rest(one, 0, restBounds)
    expect(one.restsUntilMs).toBe(250)
  })

  test('an answer ends it', () => {
    const one = peer(1)
    rest(one, 0, restBounds)
    answered(one)
    expect(isResting(one, 1)).toBe(false)
    rest(one, 1, restBounds)
    expect(one.restsUntilMs).toBe(251)
  })

  test('never more than half of the nodes rest', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9_000 }), { maxLength: 9 }), (until) => {
        const peers = until.map((restsUntilMs, i) => peer(i, { restsUntilMs }))
        expect(restingPeers(peers, 1_000).size).toBeLessThanOrEqual(Math.floor(peers.length / 2))
      }),
    )
  })
})

test('rendezvous order moves little when a node comes', () => {
  const before = [1, 2, 3].map((port) => peer(port))
  const after = [...before, peer(4)]
  let moved = 0
  for (let i = 0; i < 1_000; i += 1) {
    const [was] = byRendezvous(`m ${i}`, before)
    const [is] = byRendezvous(`m ${i}`, after)
    if (was !== is) {
      expect(is).toBe(after[3])
      moved += 1
    }
  }
  expect(moved).toBeGreaterThan(150)
  expect(moved).toBeLessThan(350)
})

describe('the choice of a node for a shard', () => {
  const shared = (change = {}) => ({ ...choice(change), shareMin: 2 })
  const peers = [1, 2, 3].map((port) => peer(port))
  const inOrder = () => byRendezvous('m a', peers) as [Peer, Peer, Peer]
  const of = (confirmed: readonly Peer[], unconfirmed: readonly Peer[] = []) => ({
    confirmed,
    unconfirmed,
  })
  const chosen = (holders = of(peers), change = {}) =>
    chooseForShard(holders, 'm a', shared(change))
  const free = () => {
    for (const one of peers) Object.assign(one, { inFlight: 0, restsUntilMs: 0 })
  }

  test('is always the same while little is asked', () => {
    free()
    const [first] = inOrder()
    first.inFlight = 1
    expect(chosen()).toBe(first)
    expect(chosen(of(peers.toReversed()))).toBe(first)
  })

  test('goes on to the next one where the first has more than his share', () => {
    free()
    const [first, second] = inOrder()
    first.inFlight = 4
    expect(chosen()).toBe(second)
    for (const one of peers) one.inFlight = 4
    expect(chosen()).toBe(first)
  })

  test('leaves out who rests, is excluded or full, as long as there are others', () => {
    free()
    const [first, second, third] = inOrder()
    first.restsUntilMs = 2_000
    expect(chosen()).toBe(second)
    expect(chosen(of(peers), { isExcluded: (one: Peer) => one === second })).toBe(third)
    second.inFlight = 10
    third.inFlight = 10
    expect(chosen()).toBe(first)
    first.inFlight = 10
    expect(chosen()).toBeUndefined()
  })

  test('is an unconfirmed one only where no other is left', () => {
    free()
    const [first, second, third] = inOrder()
    expect(chosen(of([third], [first, second]))).toBe(third)
    expect(chosen(of([], [second, first]))).toBe(first)
    expect(chosen(of([], []))).toBeUndefined()
  })

  test('gives nobody much more than his share, whatever is asked', () => {
    free()
    const random = seededRandom(4)
    for (let i = 0; i < 300; i++) {
      // A third of all requests are for one shard.
      const shard = random() < 1 / 3 ? 'hot' : `s ${Math.floor(random() * 50)}`
      const one = chooseForShard(of(peers), shard, shared({ openMax: () => 1_000 }))!
      one.inFlight += 1
    }
    expect(Math.max(...peers.map(({ inFlight }) => inFlight))).toBeLessThanOrEqual(126)
  })
})
