import { limits } from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import { continueAfter } from '../../src/jobs/continue.ts'

const daily = {
  version: 4,
  calendar: { start: '2024-02-27', frequency: 'daily', steps: 3 },
}
const monthly = {
  version: 4,
  calendar: { start: '2023-10-31T12:00:00Z', frequency: 'monthly', steps: 4 },
}
const refusalOf = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}

describe('new observations', () => {
  test('come right after those that the base knows, unless they say when', () => {
    expect(continueAfter(daily, { y: [1, null], start: null })).toEqual({
      y: [1, null],
      calendar: { ...daily.calendar, steps: 5 },
    })
  })

  test('need no calendar', () => {
    const base = { version: 4 }
    expect(continueAfter(base, { y: [1], start: null })).toEqual({ y: [1], calendar: undefined })
  })

  test('that begin with the next step leave no gap', () => {
    expect(continueAfter(daily, { y: [1], start: '2024-03-01' }).y).toEqual([1])
    // The 31st is the 29th in February.
    expect(continueAfter(monthly, { y: [1], start: '2024-02-29T12:00:00Z' }).y).toEqual([1])
  })

  test('that begin later leave a gap of missing ones', () => {
    const { y, calendar } = continueAfter(daily, { y: [1, 2], start: '2024-03-03' })
    expect(y).toEqual([null, null, 1, 2])
    expect(calendar?.steps).toBe(7)
  })

  test('that the base knows already are refused, with how many', () => {
    expect(refusalOf(() => continueAfter(daily, { y: [1], start: '2024-02-28' }))).toMatchObject({
      status: 409,
      code: 'known-already',
      message: 'Version 4 knows 2 steps from 2024-02-28 on already.',
      field: '/series/0/start',
    })
    const before = () => continueAfter(daily, { y: [1], start: '2020-01-01' })
    expect(refusalOf(before)).toMatchObject({ status: 409 })
  })

  test.each([
    ['between two steps', daily, '2024-03-01T06:00:00Z', 'no step of daily data'],
    ['in the month, not on its day', monthly, '2024-03-30T12:00:00Z', 'no step of monthly data'],
    ['without a calendar', { version: 4 }, '2024-03-01', 'nobody knows'],
    ['years later', daily, '2094-03-01', 'steps missing before 2094-03-01'],
  ])('that begin %s are refused', (_when, base, start, says) => {
    const refusal = refusalOf(() => continueAfter(base, { y: [1], start }))
    expect(refusal).toMatchObject({ status: 422, field: '/series/0/start' })
    expect((refusal as Error).message).toContain(says)
  })

  test('are bounded together with their gap', () => {
    const y = Array.from({ length: limits.newObservationsMax }, () => 1)
    expect(continueAfter(daily, { y, start: '2024-03-01' }).y).toHaveLength(y.length)
    expect(refusalOf(() => continueAfter(daily, { y, start: '2024-03-02' }))).toBeDefined()
  })
})
