import type { Random } from '../../shared/src/index.ts'

/** Other bytes, always: what a disk, a network or a hand may have made of some. */
export function spoil(bytes: Uint8Array, others: readonly Uint8Array[], random: Random): Spoilt {
  const [name, change] = pick(random, Object.entries(changes))
  const spoilt = change(bytes.slice(), random, others)
  if (spoilt.length === bytes.length && spoilt.every((byte, i) => byte === bytes[i]))
    spoilt[0]! ^= 1
  return { name, bytes: spoilt }
}

export type Spoilt = { readonly name: string; readonly bytes: Uint8Array }

type Change = (
  bytes: Uint8Array<ArrayBuffer>,
  random: Random,
  others: readonly Uint8Array[],
) => Uint8Array<ArrayBuffer>

const changes: Record<string, Change> = {
  'some bits flipped': (bytes, random) => {
    for (let left = 1 + below(random, 40); left > 0; left--)
      bytes[below(random, bytes.length)]! ^= 1 << below(random, 8)
    return bytes
  },
  'a run of other bytes': (bytes, random) => {
    const [from, to] = range(random, bytes.length)
    for (let i = from; i < to; i++) bytes[i] = below(random, 256)
    return bytes
  },
  'a run of zeros': (bytes, random) => bytes.fill(0, ...range(random, bytes.length)),
  'a run of ones': (bytes, random) => bytes.fill(255, ...range(random, bytes.length)),
  'cut off': (bytes, random) => bytes.slice(0, below(random, bytes.length)),
  'its beginning lost': (bytes, random) => bytes.slice(1 + below(random, bytes.length)),
  'a piece lost': (bytes, random) => {
    const [from, to] = range(random, bytes.length)
    return joined(bytes.subarray(0, from), bytes.subarray(to))
  },
  'a piece twice': (bytes, random) => {
    const [from, to] = range(random, bytes.length)
    return joined(bytes.subarray(0, to), bytes.subarray(from))
  },
  'something appended': (bytes, random) => joined(bytes, noise(random, 1 + below(random, 64))),
  'a large number somewhere': (bytes, random) => {
    // Lengths and counts are four bytes, most of them in the head.
    const at = below(random, random() < 0.7 ? Math.min(64, bytes.length - 4) : bytes.length - 4)
    const value = pick(random, [0xffffffff, 0x7fffffff, 0x80000000, 0x10000000, 0xffff, 0])
    new DataView(bytes.buffer).setUint32(at, value, true)
    return bytes
  },
  'a strange number somewhere': (bytes, random) => {
    if (bytes.length < 40) return bytes
    const at = Math.floor((24 + below(random, bytes.length - 36)) / 8) * 8
    const values = [Number.NaN, Number.POSITIVE_INFINITY, -1, 1e308, 1e-308, 2 ** 31, 2 ** 53, 0.5]
    new DataView(bytes.buffer).setFloat64(at, pick(random, values), true)
    return bytes
  },
  'the half of another model': (bytes, random, others) => {
    const other = pick(random, others)
    const at = below(random, bytes.length)
    return joined(bytes.subarray(0, at), other.subarray(at))
  },
  noise: (bytes, random) => noise(random, below(random, 2 * bytes.length)),
  'noise behind a right head': (bytes, random) =>
    joined(bytes.subarray(0, 24), noise(random, bytes.length - 24)),
}

const below = (random: Random, end: number) => Math.floor(random() * end)

function range(random: Random, length: number): [number, number] {
  const from = below(random, length)
  return [from, from + 1 + below(random, Math.min(64, length - from))]
}

function noise(random: Random, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => below(random, 256))
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length)
  both.set(one)
  both.set(other, one.length)
  return both
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[below(random, from.length)] as T
}
