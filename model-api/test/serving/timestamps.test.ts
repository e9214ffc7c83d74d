import { expect, test } from 'vitest'
import { type Calendar, timesAfter } from '../../src/serving/timestamps.ts'

const timestampsAfter = (calendar: Calendar | undefined, horizon: number) =>
  timesAfter(calendar, horizon).texts()

const days = (times: readonly string[]) => times.map((time) => time.slice(0, 10))

test.each([
  ['hourly', '2024-02-28T22:00:00Z', 1, ['2024-02-28T23:00:00.000Z', '2024-02-29T00:00:00.000Z']],
  ['daily', '2024-02-28', 1, ['2024-02-29T00:00:00.000Z', '2024-03-01T00:00:00.000Z']],
  ['weekly', '2024-12-25', 1, ['2025-01-01T00:00:00.000Z', '2025-01-08T00:00:00.000Z']],
  ['yearly', '2024-02-29', 3, ['2027-02-28T00:00:00.000Z', '2028-02-29T00:00:00.000Z']],
])('steps go on after %s data', (frequency, start, steps, expected) => {
  expect(timestampsAfter({ frequency, start, steps }, 2)).toEqual(expected)
})

test('months keep the day of the start where they have it', () => {
  const times = timestampsAfter({ frequency: 'monthly', start: '2023-12-31', steps: 1 }, 4)
  expect(days(times)).toEqual(['2024-01-31', '2024-02-29', '2024-03-31', '2024-04-30'])
})

test('quarters are three months, and the time of day stays', () => {
  const calendar = { frequency: 'quarterly', start: '2024-11-30T06:30', steps: 1 }
  expect(timestampsAfter(calendar, 2)).toEqual([
    '2025-02-28T06:30:00.000Z',
    '2025-05-30T06:30:00.000Z',
  ])
})

test('a start with an offset is told in UTC', () => {
  const calendar = { frequency: 'daily', start: '2024-01-01T00:00:00+02:00', steps: 0 }
  expect(timestampsAfter(calendar, 1)).toEqual(['2023-12-31T22:00:00.000Z'])
})

test.each([
  undefined,
  { frequency: 'fortnightly', start: '2024-01-01', steps: 1 },
  { frequency: 'daily', start: 'yesterday', steps: 1 },
  { frequency: 'yearly', start: '2024-01-01', steps: 9_000 },
])('times that cannot be told are refused: %o', (calendar) => {
  expect(() => timestampsAfter(calendar, 2)).toThrow(
    expect.objectContaining({ status: 422, code: 'no-calendar' }),
  )
})

test('days begin at midnight of their zone, when the clock is changed, too', () => {
  const calendar = { frequency: 'daily', start: '2026-03-01', timezone: 'Europe/Berlin', steps: 27 }
  expect(timestampsAfter(calendar, 3)).toEqual([
    '2026-03-28T00:00:00+01:00',
    '2026-03-29T00:00:00+01:00',
    '2026-03-30T00:00:00+02:00',
  ])
})

test('a day on which the clock is set back has 25 hours', () => {
  const calendar = { frequency: 'hourly', start: '2026-10-25', timezone: 'Europe/Berlin', steps: 1 }
  const times = timestampsAfter(calendar, 25)
  expect(times.slice(1, 3)).toEqual(['2026-10-25T02:00:00+02:00', '2026-10-25T02:00:00+01:00'])
  expect(times.at(-1)).toBe('2026-10-26T00:00:00+01:00')
})
