import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crc32c } from '../../src/codec/checksum.ts'
import {
  type Column,
  claimedFamily,
  decodeContainer,
  encodeContainer,
} from '../../src/codec/container.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { sealed } from './seal.ts'

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/)
const column: fc.Arbitrary<Column> = fc.oneof(
  fc.array(fc.double()).map((values) => Float64Array.from(values)),
  fc.array(fc.integer()).map((values) => Int32Array.from(values)),
  fc.uint8Array(),
  fc.string({ unit: 'grapheme' }),
)
const container = fc.record({
  family: name,
  familyFormat: fc.nat(),
  columns: fc
    .dictionary(name, column, { maxKeys: 8 })
    .map((record) => new Map(Object.entries(record))),
})

const sample = encodeContainer({
  family: 'sample',
  familyFormat: 3,
  columns: new Map<string, Column>([
    ['doubles', Float64Array.of(1.5, Number.NaN, Number.POSITIVE_INFINITY)],
    ['integers', Int32Array.of(-1, 2_147_483_647)],
    ['bytes', Uint8Array.of(1, 2, 3)],
    ['text', 'Zürich'],
    ['nothing', new Float64Array(0)],
  ]),
})

describe('the model container', () => {
  test('gives back what was put in, and one container has one encoding', () => {
    fc.assert(
      fc.property(container, (given) => {
        const bytes = encodeContainer(given)
        const decoded = doneValue(decodeContainer(bytes))
        expect(decoded.family).toBe(given.family)
        expect(decoded.familyFormat).toBe(given.familyFormat)
        expect([...decoded.columns.keys()]).toEqual([...given.columns.keys()])
        for (const [key, values] of given.columns) {
          expect(decoded.columns.get(key)).toEqual(withoutNegativeZeros(values))
        }
        expect(encodeContainer(decoded)).toEqual(bytes)
        expect(claimedFamily(bytes)).toBe(given.family)
      }),
      { seed: 7 },
    )
  })

  test('every NaN is written with the same bits, and -0 as 0', () => {
    const odd = new Float64Array(new BigUint64Array([0xfff8_0000_0000_1234n]).buffer)
    const write = (values: Float64Array) =>
      encodeContainer({ family: 'f', familyFormat: 1, columns: new Map([['x', values]]) })
    expect(write(odd)).toEqual(write(Float64Array.of(Number.NaN)))
    expect(write(Float64Array.of(-0))).toEqual(write(Float64Array.of(0)))
  })

  test('random bytes are refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(refusalOf(decodeContainer(bytes)).code).toBe('bad-format')
      }),
      { seed: 7, numRuns: 2_000 },
    )
  })

  test('random bytes behind a valid head and checksum are refused or a container', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 28, maxLength: 400 }), fc.nat(5), (bytes, arrays) => {
        bytes.set(sample.subarray(0, 12))
        bytes.set([arrays, 0, 0, 0], 20)
        const decoded = decodeContainer(sealed(bytes))
        if (decoded.kind === 'refused') expect(decoded.reason.code).toBe('bad-format')
        else expect(encodeContainer(decoded.value)).toEqual(sealed(bytes))
      }),
      { seed: 7, numRuns: 2_000 },
    )
  })

  test('every single flipped bit is noticed', () => {
    for (let bit = 0; bit < sample.length * 8; bit++) {
      const damaged = sample.slice()
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      expect(refusalOf(decodeContainer(damaged)).code, `bit ${bit}`).toBe('bad-format')
    }
  })

  test('every truncation and every extension is noticed', () => {
    for (let length = 0; length < sample.length; length++) {
      expect(decodeContainer(sample.subarray(0, length)).kind, `${length} bytes`).toBe('refused')
    }
    expect(decodeContainer(Uint8Array.of(...sample, 0)).kind).toBe('refused')
  })

  test('lengths and types blown up under a right checksum are refused before allocation', () => {
    const directory = 24 + 1 + 'sample'.length
    const elements = directory + 1 + 'doubles'.length + 1
    for (const offset of [16, 20, directory, elements - 1, elements]) {
      for (const value of [0xff, 0x7f, 0x80, 0x05]) {
        for (let at = offset; at < offset + 4; at++) {
          const hostile = sample.slice()
          hostile[at] = value
          const decoded = decodeContainer(sealed(hostile))
          if (decoded.kind !== 'refused') {
            expect(encodeContainer(decoded.value), `byte ${at}`).toEqual(sealed(hostile))
          } else expect(decoded.reason.code).toBe('bad-format')
        }
      }
    }
    const huge = sample.slice()
    new DataView(huge.buffer).setUint32(elements, 0xffff_ffff, true)
    expect(refusalOf(decodeContainer(sealed(huge))).detail).toContain('bytes')
  })

  test('forms that are not canonical are refused under a right checksum', () => {
    const write = (values: Float64Array) =>
      encodeContainer({ family: 'f', familyFormat: 1, columns: new Map([['x', values]]) })
    const bytes = write(Float64Array.of(1))
    const start = bytes.length - 12
    const view = (copy: Uint8Array) => new DataView(copy.buffer)
    const negativeZero = bytes.slice()
    view(negativeZero).setFloat64(start, -0, true)
    const oddNan = bytes.slice()
    view(oddNan).setBigUint64(start, 0x7ff8_0000_0000_0001n, true)
    const padding = bytes.slice()
    padding[start - 1] = 1
    for (const copy of [negativeZero, oddNan, padding]) {
      expect(decodeContainer(sealed(copy)).kind).toBe('refused')
    }
    expect(decodeContainer(sealed(bytes)).kind).toBe('done')
  })

  test('an array that comes twice is refused', () => {
    const columns = new Map<string, Column>([
      ['aa', ''],
      ['ab', ''],
    ])
    const bytes = encodeContainer({ family: 'f', familyFormat: 1, columns })
    const twice = bytes.slice()
    twice[twice.indexOf(0x62)] = 0x61
    expect(refusalOf(decodeContainer(sealed(twice))).detail).toContain('twice')
  })

  test('a newer container format is refused by its number', () => {
    const newer = sample.slice()
    newer[8] = 2
    expect(refusalOf(decodeContainer(sealed(newer))).detail).toContain('container format 2')
  })
})

test('the checksum is CRC-32C', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe306_9283)
})

function withoutNegativeZeros(values: Column): Column {
  return values instanceof Float64Array ? values.map((value) => (value === 0 ? 0 : value)) : values
}
