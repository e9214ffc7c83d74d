import { expect, test } from 'vitest'
import { describedSeries, instantOf } from '../../src/index.ts'

const y = [1, null, 3]
const may = Date.UTC(2024, 4, 1, 6)

test('a frequency tells the seasons, and with a start the dates', () => {
  expect(describedSeries({ y, frequency: null, start: '2024-05-01' })).toEqual({
    y: Float64Array.of(1, Number.NaN, 3),
  })
  const daily = describedSeries({ y, frequency: 'daily', start: '2024-05-01T06:00' })
  expect(daily.seasons).toEqual([7, 365])
  expect(daily.calendar).toEqual({
    start: may,
    step: { kind: 'calendar', unit: 'day', count: 1 },
  })
})

test('a time without an offset is one of UTC', () => {
  expect(instantOf('2024-05-01T06:00')).toBe(may)
  expect(instantOf('2024-05-01T08:00+02:00')).toBe(may)
  expect(instantOf('2024-05-01')).toBe(Date.UTC(2024, 4, 1))
  expect(instantOf('yesterday')).toBeNaN()
})
