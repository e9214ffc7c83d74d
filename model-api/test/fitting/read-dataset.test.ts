import { codec, Dataset, encodeDataset } from '@almanac/shared'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readDataset } from '../../src/fitting/read-dataset.ts'

const schema = codec(Dataset)
const text = fc.option(fc.oneof(fc.string({ maxLength: 45 }), fc.string({ minLength: 201 })))
const odd = fc.oneof(fc.constant(null), fc.integer(), fc.string(), fc.constant({}), fc.constant([]))
const mostly = <T>(good: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 9, arbitrary: good }, { weight: 1, arbitrary: odd })
const values = fc.array(mostly(fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }))))
const series = mostly(
  fc.record(
    { key: mostly(text), start: mostly(text), frequency: mostly(text), y: mostly(values) },
    { requiredKeys: ['key', 'start', 'y'] },
  ),
)
const dataset = mostly(
  fc.record({
    format: mostly(fc.constant(1)),
    series: mostly(fc.array(series, { minLength: 0, maxLength: 2 })),
  }),
)

test('what brokers write is read', () => {
  const one = { key: 'a', start: '2024-01-01', frequency: 'daily', y: [1, null, 2.5] }
  expect(readDataset(encodeDataset({ format: 1, series: [one] }))).toEqual(one)
})

test('a data set is read exactly when it fits its schema', () => {
  let read = 0
  fc.assert(
    fc.property(dataset, (value) => {
      const given = JSON.stringify(value)
      const outcome = readDataset(new TextEncoder().encode(given))
      expect('fault' in outcome).toBe(!schema.decode(given).ok)
      if (!('fault' in outcome)) read += 1
    }),
    { numRuns: 2_000 },
  )
  expect(read).toBeGreaterThan(20)
})

test('any bytes are read or refused, and never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(readDataset(bytes)).toHaveProperty('fault')
    }),
  )
})
