import { expect, test } from 'vitest'
import { type Column, decodeContainer, encodeContainer } from '../../src/codec/container.ts'
import { decodeModel } from '../../src/index.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { readGolden } from '../golden.ts'
import { expectGolden, expectHostileBytesHarmless } from '../mstl/stored.ts'

test('models of format 1 are read, written as they were, and forecast what they did', () => {
  expect(expectGolden('croston-1')).toMatchObject({ observations: 23, missing: 1, counts: true })
  expect(expectGolden('tsb-1')).toMatchObject({ observations: 23, missing: 1, counts: true })
})

test.each(['croston-1', 'tsb-1'])('%s with any byte changed works, or is refused', (name) => {
  expectHostileBytesHarmless(readGolden(`${name}.bin`))
})

test.each<[string, string, string, Column]>([
  ['croston-1', 'a weight above one', 'weights', Float64Array.of(0.1, 1.5)],
  ['croston-1', 'a first probability', 'first', Float64Array.of(0, 0.5)],
  ['croston-1', 'an interval below one', 'state', Float64Array.of(2, 0.5)],
  ['croston-1', 'an interval longer than its series', 'state', Float64Array.of(2, 100)],
  ['tsb-1', 'a probability above one', 'state', Float64Array.of(2, 1.1)],
  ['tsb-1', 'a negative size', 'state', Float64Array.of(-2, 0.1)],
  ['tsb-1', 'a size that is no number', 'state', Float64Array.of(Number.NaN, 0.1)],
  ['tsb-1', 'an endless variation', 'variation', Float64Array.of(1e300)],
  ['tsb-1', 'no observations', 'counts', Int32Array.of(0, 0, 0, 1)],
  ['tsb-1', 'the spec of the other family', 'spec', '{"family":"croston"}'],
])('%s with %s is refused under a right checksum', (golden, _, name, column) => {
  const container = doneValue(decodeContainer(readGolden(`${golden}.bin`)))
  const columns = new Map([...container.columns, [name, column]])
  const changed = encodeContainer({ ...container, columns })
  expect(refusalOf(decodeModel(changed)).code).toBe('bad-format')
})
