import { expect, test } from 'vitest'
import {
  calendarOf,
  describedSeries,
  gapBefore,
  instantOf,
  instantsOf,
  textOfInstant,
} from '../../src/index.ts'

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

test('a date is one of the zone of its series, and a time that says its offset is not', () => {
  expect(instantOf('2024-05-01', 'Europe/Berlin')).toBe(Date.UTC(2024, 3, 30, 22))
  expect(instantOf('2024-05-01T08:00', 'Europe/Berlin')).toBe(may)
  expect(instantOf('2024-05-01T06:00Z', 'Europe/Berlin')).toBe(may)
  // Skipped, and so moved forward; twice there, and so the first of both.
  expect(instantOf('2024-03-31T02:30', 'Europe/Berlin')).toBe(Date.UTC(2024, 2, 31, 1, 30))
  expect(instantOf('2024-10-27T02:30', 'Europe/Berlin')).toBe(Date.UTC(2024, 9, 27, 0, 30))
  expect(instantOf('yesterday', 'Europe/Berlin')).toBeNaN()
})

test('days of a zone are its dates, however long they are', () => {
  const start = '2024-03-30'
  const { calendar } = describedSeries({ y, frequency: 'daily', start, timezone: 'Europe/Berlin' })
  const hours = [...instantsOf(calendar!, 0, 4)].map((instant) => instant / 3_600_000)
  expect(hours.slice(1).map((hour, i) => hour - hours[i]!)).toEqual([24, 23, 24])
})

test('new observations of a zone follow by its dates', () => {
  const known = { start: '2024-03-30', frequency: 'daily', timezone: 'Europe/Berlin', steps: 2 }
  expect(gapBefore(known, '2024-04-02')).toEqual({ kind: 'after', steps: 1 })
  expect(gapBefore(known, '2024-03-31T22:00Z')).toEqual({ kind: 'after', steps: 0 })
  expect(gapBefore(known, '2024-04-01T00:00Z')).toEqual({ kind: 'off-grid' })
  expect(gapBefore(known, '2024-03-31')).toEqual({ kind: 'known', steps: 1 })
})

test.each([
  ['Europe/Berlin', Date.UTC(2026, 6, 1), '2026-07-01T02:00:00+02:00'],
  ['America/St_Johns', Date.UTC(2026, 0, 1), '2025-12-31T20:30:00-03:30'],
  ['UTC', Date.UTC(2026, 0, 1), '2026-01-01T00:00:00.000Z'],
])('a time in %s says how far it is from UTC', (timezone, instant, text) => {
  const { step } = calendarOf('2020-01-01', 'daily', timezone)
  expect(textOfInstant(instant, step)).toBe(text)
  expect(instantOf(text)).toBe(instant)
})
