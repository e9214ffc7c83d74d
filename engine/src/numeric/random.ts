import { normalQuantile } from './normal.ts'

/**
 * Random numbers without a state: each is a function of (seed, path, step), so that a short path is
 * exactly the beginning of a long one. Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror and Shaw
 * 2011, table 2).
 */
export function uniformAt(seed: number, path: number, step: number): number {
  const key0 = seed >>> 0
  const key1 = Math.floor(seed / 4_294_967_296) >>> 0
  const key2 = key0 ^ key1 ^ parity
  let a = (path + key0) | 0
  let b = (step + key1) | 0
  for (let group = 0; group < 5; group++) {
    const rotations = group % 2 === 0 ? even : odd
    for (let i = 0; i < 4; i++) {
      a = (a + b) | 0
      const by = rotations[i]!
      b = ((b << by) | (b >>> (32 - by))) ^ a
    }
    const next = (group + 1) % 3
    a = (a + (next === 0 ? key0 : next === 1 ? key1 : key2)) | 0
    const after = (group + 2) % 3
    b = (b + (after === 0 ? key0 : after === 1 ? key1 : key2) + group + 1) | 0
  }
  // 52 bits, moved off zero by half a unit: strictly inside (0, 1).
  return ((a >>> 0) * 1_048_576 + (b >>> 12) + 0.5) / 4_503_599_627_370_496
}

/** A standard normal number, by the inverse of its distribution function. */
export function normalAt(seed: number, path: number, step: number): number {
  return normalQuantile(uniformAt(seed, path, step))
}

/** The seed of one series in a batch: FNV-1a of its key on top of the batch's seed. */
export function seedOfKey(seed: number, key: string): number {
  // The seed is spread first: one that differs by a bit may not cancel a letter that does.
  let hash = Math.imul((seed ^ 0x811c9dc5) >>> 0, 0x9e3779b1) >>> 0
  hash ^= hash >>> 15
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash ^ (key.charCodeAt(i) & 0xff), 0x01000193) >>> 0
    hash = Math.imul(hash ^ (key.charCodeAt(i) >>> 8), 0x01000193) >>> 0
  }
  return hash
}

const parity = 0x1bd11bda
const even = [13, 15, 26, 6]
const odd = [17, 29, 16, 24]
