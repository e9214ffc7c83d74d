import * as arrow from 'apache-arrow'
import { expect, test } from 'vitest'
import { makeArrowBatch } from '../../src/serving/arrow-batch.ts'

const computed = (point: readonly number[], quantiles: readonly number[] = []) => ({
  forecast: { point: Float64Array.from(point), quantiles: Float64Array.from(quantiles), notes: [] },
  pointText: undefined,
})
const end = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0)
const read = (...parts: readonly Uint8Array[]) =>
  arrow
    .tableFromIPC(Buffer.concat([...parts, end]))
    .toArray()
    .map((row) => row.toJSON())

test('times before 1970 and after 2038 are what they were', () => {
  const asked = { horizon: 3, levels: [], timestamps: true }
  const batch = makeArrowBatch(arrow, asked, 1)
  const times = [Date.UTC(1901, 0, 1), -1, Date.UTC(9999, 11, 31)]
  batch.add('a', computed([1, 2, 3]), times)
  expect(read(batch.head(), batch.rows()).map((row) => row.timestamp)).toEqual(times)
})

test('batches made apart are read one after the other behind one schema', () => {
  const asked = { horizon: 1, levels: [80], timestamps: false }
  const [first, second] = [makeArrowBatch(arrow, asked, 9), makeArrowBatch(arrow, asked, 9)]
  first.add('Köln "1"', computed([1.5], [1, 2]), undefined)
  for (let i = 0; i < 8; i++) second.addGap(`gap ${i}`, 'too-short')
  second.add('last', computed([-0.25], [-1, 1]), undefined)
  const rows = read(first.head(), first.rows(), second.rows())
  expect(rows[0]).toEqual({
    ...{ series: 'Köln "1"', step: 1, forecast: 1.5, lower_80: 1, upper_80: 2, error: null },
  })
  const nothing = { step: null, forecast: null, lower_80: null, upper_80: null }
  expect(rows[8]).toEqual({ series: 'gap 7', ...nothing, error: 'too-short' })
  expect(rows[9]).toMatchObject({ series: 'last', forecast: -0.25, error: null })
})

test('without series there are no rows, only what begins a stream', () => {
  const batch = makeArrowBatch(arrow, { horizon: 5, levels: [], timestamps: false }, 0)
  expect(batch.rows()).toHaveLength(0)
  expect(read(batch.head(), batch.rows())).toEqual([])
})

test('keys are kept whole however long they are, and counted', () => {
  const batch = makeArrowBatch(arrow, { horizon: 300, levels: [], timestamps: false }, 2)
  const [long, short] = ['é'.repeat(1_000), 'b']
  const point = Array.from({ length: 300 }, (_, i) => i)
  batch.add(long, computed(point), undefined)
  batch.add(short, computed(point), undefined)
  expect(batch.textBytes()).toBe(300 * 2_001)
  const rows = read(batch.head(), batch.rows())
  expect(new Set(rows.slice(0, 300).map(({ series }) => series))).toEqual(new Set([long]))
  expect(new Set(rows.slice(300).map(({ series }) => series))).toEqual(new Set([short]))
  expect(rows.at(-1)).toMatchObject({ step: 300, forecast: 299 })
})
