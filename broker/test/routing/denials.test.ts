import { beforeEach, expect, test } from 'vitest'
import { createDenials, type Denials } from '../../src/routing/denials.ts'
import { createPeer } from '../../src/routing/peer.ts'

const peer = createPeer({ ip: '10.0.0.1', port: 1, instance: 'first' })
const again = createPeer({ ip: '10.0.0.1', port: 1, instance: 'second' })
let nowMs: number
let denials: Denials

beforeEach(() => {
  nowMs = 5_000
  denials = createDenials({ monotonicMs: () => nowMs })
})

test('what a process denies is believed of it and of nothing else, for a second', () => {
  denials.add(peer, 'default/sales', 3)
  expect(denials.has(peer, 'default/sales', 3)).toBe(true)
  expect(denials.has(peer, 'default/sales', 4)).toBe(false)
  expect(denials.has(peer, 'default/costs', 3)).toBe(false)
  expect(denials.has(again, 'default/sales', 3)).toBe(false)
  nowMs += 1_000
  expect(denials.has(peer, 'default/sales', 3)).toBe(false)
})

test('what was said again is believed from then on', () => {
  denials.add(peer, 'default/sales', 3)
  nowMs += 600
  denials.add(peer, 'default/sales', 3)
  nowMs += 600
  expect(denials.has(peer, 'default/sales', 3)).toBe(true)
})

test('what has run out is not kept until somebody asks', () => {
  for (let version = 1; version <= 500; version += 1) denials.add(peer, 'default/sales', version)
  nowMs += 600
  denials.add(peer, 'default/sales', 1)
  nowMs += 600
  denials.add(peer, 'default/sales', 501)
  expect(denials.size()).toBe(2)
})

test('of more than 10,000 at once the oldest are dropped', () => {
  for (let version = 1; version <= 10_001; version += 1) denials.add(peer, 'default/sales', version)
  expect(denials.size()).toBe(10_000)
  expect(denials.has(peer, 'default/sales', 1)).toBe(false)
  expect(denials.has(peer, 'default/sales', 2)).toBe(true)
})
