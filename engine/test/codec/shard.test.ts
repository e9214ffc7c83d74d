import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeContainer } from '../../src/codec/container.ts'
import { compareKeys, decodeShard, encodeShard, type ShardContent } from '../../src/codec/shard.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { sealed } from './seal.ts'

const key = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.tuple(fc.nat(30), fc.nat(5)).map(([store, product]) => `store=${store},product=${product}`),
)
const content = fc
  .uniqueArray(
    fc.tuple(key, fc.double(), fc.integer(), fc.constantFrom('', 'a', 'é'), fc.uint8Array()),
    {
      selector: ([name]) => name,
      maxLength: 40,
    },
  )
  .map((rows): ShardContent => {
    const sorted = rows.toSorted(([a], [b]) => compareKeys(a, b))
    return {
      keys: sorted.map(([name]) => name),
      columns: {
        mase: Float64Array.from(sorted, ([, value]) => value),
        steps: Int32Array.from(sorted, ([, , value]) => value),
        code: sorted.map(([, , , word]) => word),
      },
      payloads: sorted.map(([, , , , bytes]) => bytes),
    }
  })

const few: ShardContent = {
  keys: ['a=1', 'a=1,b=2', 'a=12', 'ä=1'],
  columns: { code: ['ok', 'too-short', 'ok', 'ok'], steps: Int32Array.of(1, 2, 3, 4) },
  payloads: [Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2, 3), Uint8Array.of(4)],
}

describe('a shard', () => {
  test('gives back what was put in, by place and by key', () => {
    fc.assert(
      fc.property(content, (given) => {
        const shard = doneValue(decodeShard(encodeShard(given)))
        expect(shard.count).toBe(given.keys.length)
        for (const [i, name] of given.keys.entries()) {
          expect(shard.keyAt(i)).toBe(name)
          expect(shard.find(name)).toBe(i)
          expect(shard.payloadAt(i)).toEqual(given.payloads[i])
        }
        expect(shard.columns.get('code')).toEqual(given.columns.code)
        expect(shard.columns.get('steps')).toEqual(given.columns.steps)
        const mase = Array.from(given.columns.mase as Float64Array, (value) => value + 0)
        expect(Array.from(shard.columns.get('mase') as Float64Array)).toEqual(mase)
      }),
      { seed: 11 },
    )
  })

  test('finds what begins with a prefix, and nothing else', () => {
    fc.assert(
      fc.property(content, key, (given, prefix) => {
        const shard = doneValue(decodeShard(encodeShard(given)))
        const { from, to } = shard.rangeOf(prefix)
        const wanted = given.keys.filter((name) => name.startsWith(prefix))
        expect(given.keys.slice(from, to)).toEqual(wanted)
        expect(shard.find(prefix)).toBe(given.keys.indexOf(prefix))
      }),
      { seed: 12 },
    )
  })

  test('that is empty is one, too', () => {
    const shard = doneValue(decodeShard(encodeShard({ keys: [], columns: {}, payloads: [] })))
    expect(shard.count).toBe(0)
    expect(shard.find('')).toBe(-1)
    expect(shard.rangeOf('')).toEqual({ from: 0, to: 0 })
  })

  test('says how much memory it takes', () => {
    const payloads = few.payloads.map(() => new Uint8Array(10_000))
    const { sizeBytes } = doneValue(decodeShard(encodeShard({ ...few, payloads })))
    expect(sizeBytes).toBeGreaterThan(40_000)
    expect(sizeBytes).toBeLessThan(41_000)
  })

  test('with any bit flipped is refused', () => {
    const bytes = encodeShard(few)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(decodeShard(flipped).kind, `bit ${bit}`).toBe('refused')
    }
  })

  test('that somebody made up is refused or is sound, whatever its numbers are', () => {
    const bytes = encodeShard(few)
    let sound = 0
    fc.assert(
      fc.property(fc.nat(bytes.length - 5), fc.nat(255), (at, value) => {
        const made = bytes.slice()
        made[at] = value
        const decoded = decodeShard(sealed(made))
        if (decoded.kind === 'refused') return
        const { value: shard } = decoded
        sound += 1
        for (let i = 0; i < shard.count; i++) {
          expect(shard.find(shard.keyAt(i))).toBe(i)
          shard.payloadAt(i)
        }
        for (const column of shard.columns.values()) expect(column.length).toBe(shard.count)
      }),
      { seed: 13, numRuns: 2_000 },
    )
    expect(sound).toBeGreaterThan(20)
  })

  test.each([
    [
      'another container',
      encodeContainer({ family: 'naive', familyFormat: 1, columns: new Map() }),
      'not a shard',
    ],
    [
      'a later format',
      encodeContainer({ family: 'shard', familyFormat: 2, columns: new Map() }),
      'format 2',
    ],
    ['no keys', encodeContainer({ family: 'shard', familyFormat: 1, columns: new Map() }), 'keys'],
    ['no bytes', new Uint8Array(0), 'only 0 bytes'],
  ])('%s is refused', (_what, bytes, says) => {
    expect(refusalOf(decodeShard(bytes)).detail).toContain(says)
  })
})

test('keys are in the order of their UTF-8 bytes', () => {
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(text, text, (a, b) => {
      const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b))
      expect(Math.sign(compareKeys(a, b))).toBe(bytes)
    }),
    { seed: 14, numRuns: 2_000 },
  )
  expect(compareKeys('\u{1f600}', '\uffff')).toBeGreaterThan(0)
})
