import { expect, test } from 'vitest'
import { csvGap, csvRows } from '../../src/serving/csv-text.ts'

const forecast = { point: Float64Array.of(1.5), quantiles: new Float64Array(0), notes: [] }
const question = { horizon: 1, levels: [], timestamps: false }
const rowOf = (key: string) => csvRows(key, { forecast, pointText: undefined }, question, undefined)

test.each([
  ['a plain key', 'store 3', 'store 3'],
  ['commas', 'store=3,product=4', '"store=3,product=4"'],
  ['quotes and lines', 'a "b"\nc', '"a ""b""\nc"'],
  ['a formula', '=1+1', "'=1+1"],
  ['a formula with commas', '@f(1,2)', '"\'@f(1,2)"'],
])('%s can be read again, and does nothing in a spreadsheet', (_, key, cell) => {
  expect(rowOf(key)).toBe(`${cell},1,1.5\n`)
})

test('a series without a forecast has a row as wide as all others', () => {
  expect(csvGap('a', question)).toBe('a,,\n')
  expect(csvGap('a', { levels: [80, 95], timestamps: true })).toBe('a,,,,,,,\n')
})
