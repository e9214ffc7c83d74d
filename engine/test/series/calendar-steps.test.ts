import { describe, expect, test } from 'vitest'
import type { Calendar, Step, Zone } from '../../src/index.ts'
import { dateOfDays, dayMs, daysOfDate, daysOfText } from '../../src/series/calendar-dates.ts'
import {
  checkCalendar,
  instantsOf,
  localsOf,
  meanStepMs,
  stepAt,
} from '../../src/series/calendar-steps.ts'
import { instantOfLocal, localAt, localParts } from '../../src/series/calendar-zones.ts'
import { zoneFrom } from '../../src/series/zone-table.ts'
import { makeRandom } from '../random.ts'

const from = Date.UTC(1960, 0, 1)
const to = Date.UTC(2040, 0, 1)
const utc = { name: 'UTC', instants: Float64Array.of(from), offsetsMs: Float64Array.of(0) }
const zones = [
  'Europe/Berlin',
  'America/New_York',
  'America/Santiago',
  'Australia/Sydney',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'Asia/Kathmandu',
  'Pacific/Apia',
  'UTC',
].map((name) => zoneFrom(name, from) ?? utc)
const berlin = zones[0]!
const iso = (instants: Float64Array) => [...instants].map((at) => new Date(at).toISOString())
const days = (zone: Zone, count = 1): Step => ({ kind: 'calendar', unit: 'day', count, zone })
const months = (unit: 'month' | 'quarter' | 'year', count = 1): Step => ({
  kind: 'calendar',
  unit,
  count,
})

describe('dates', () => {
  test('count days as the runtime does, over 600 years and both ways', () => {
    for (let day = -150_000; day < 80_000; day += 7) {
      const date = new Date(day * dayMs)
      const expected = {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
      }
      expect(dateOfDays(day)).toEqual(expected)
      expect(daysOfDate(expected.year, expected.month, expected.day)).toBe(day)
    }
  })

  test('that do not exist are no dates', () => {
    expect(daysOfText('1970-01-02')).toBe(1)
    expect(daysOfText('2024-02-29')).toBe(Date.UTC(2024, 1, 29) / dayMs)
    for (const text of ['2023-02-29', '2023-13-01', '2023-00-10', '2023-1-1', '', '2023-04-31']) {
      expect(daysOfText(text), text).toBeUndefined()
    }
  })
})

describe('local times', () => {
  test('are those of the runtime in every zone, hemisphere and half-hour of saving', () => {
    const random = makeRandom(1)
    for (const zone of zones) {
      const format = new Intl.DateTimeFormat('en-GB', {
        timeZone: zone.name,
        hourCycle: 'h23',
        dateStyle: 'short',
        timeStyle: 'medium',
      })
      const near = [...zone.instants].flatMap((at) => [at - 1_000, at, at + 1_000])
      const anywhere = Array.from(
        { length: 200 },
        () => 1_000 * random.integer(from / 1e3, to / 1e3),
      )
      for (const instant of [...near, ...anywhere].filter((at) => at >= from && at < to)) {
        const { year, month, day, hour, minute, second } = localParts(zone, instant)
        const two = (value: number) => String(value).padStart(2, '0')
        const said = `${two(day)}/${two(month)}/${year}, ${two(hour)}:${two(minute)}:${two(second)}`
        expect(said, `${zone.name} ${instant}`).toBe(format.format(instant))
      }
    }
  })

  test('lead back to their instant; the first of two, and forward over a gap', () => {
    const random = makeRandom(2)
    for (const zone of zones) {
      const some = Array.from({ length: 300 }, () => 60_000 * random.integer(from / 6e4, to / 6e4))
      const near = [...zone.instants].flatMap((at) => [at - 1_800_000, at, at + 900_000])
      for (const instant of [...some, ...near]) {
        const local = localAt(zone, instant)
        const back = instantOfLocal(zone, local)
        expect(back).toBeLessThanOrEqual(instant)
        expect(localAt(zone, back), `${zone.name} ${instant}`).toBe(local)
      }
    }
    const local = (text: string) => Date.parse(`${text}Z`)
    const at = (text: string) => new Date(instantOfLocal(berlin, local(text))).toISOString()
    expect(at('2024-03-31T02:30:00')).toBe('2024-03-31T01:30:00.000Z')
    expect(at('2024-10-27T02:30:00')).toBe('2024-10-27T00:30:00.000Z')
    const howe = zones.find(({ name }) => name === 'Australia/Lord_Howe')!
    const skipped = instantOfLocal(howe, local('2024-10-06T02:10:00'))
    expect(localAt(howe, skipped)).toBe(local('2024-10-06T02:40:00'))
  })

  test('know their weekday', () => {
    expect(localParts(undefined, 0).weekday).toBe(4)
    expect(localParts(undefined, Date.UTC(2024, 11, 29)).weekday).toBe(7)
    expect(localParts(undefined, Date.UTC(1969, 11, 29)).weekday).toBe(1)
  })
})

describe('steps', () => {
  test('of a day are local days, be they of 23, 24 or 25 hours', () => {
    const start = instantOfLocal(berlin, Date.UTC(2024, 0, 1))
    const hours = new Map<number, number>()
    const instants = instantsOf({ start, step: days(berlin) }, 0, 366)
    for (let i = 1; i < 366; i++) {
      const length = (instants[i]! - instants[i - 1]!) / 3_600_000
      hours.set(length, (hours.get(length) ?? 0) + 1)
      expect(localParts(berlin, instants[i]!)).toMatchObject({ hour: 0, minute: 0 })
    }
    expect([...hours].sort()).toEqual([
      [23, 1],
      [24, 363],
      [25, 1],
    ])
  })

  test('of a month end at the end of a short month, and come back to the day', () => {
    const calendar = { start: Date.UTC(2023, 0, 31), step: months('month') }
    expect(iso(instantsOf(calendar, 0, 4)).map((text) => text.slice(0, 10))).toEqual([
      '2023-01-31',
      '2023-02-28',
      '2023-03-31',
      '2023-04-30',
    ])
    const leap = { start: Date.UTC(2024, 1, 29), step: months('year') }
    expect(iso(instantsOf(leap, -1, 6)).map((text) => text.slice(0, 10))).toEqual([
      '2023-02-28',
      '2024-02-29',
      '2025-02-28',
      '2026-02-28',
      '2027-02-28',
      '2028-02-29',
    ])
    const quarters = { start: Date.UTC(2023, 10, 30, 6), step: months('quarter') }
    expect(iso(instantsOf(quarters, 1, 1))).toEqual(['2024-02-29T06:00:00.000Z'])
  })

  test('that are fixed are all of one length, whatever clocks do', () => {
    const calendar: Calendar = { start: 5, step: { kind: 'fixed', ms: 3_600_000, zone: berlin } }
    expect([...instantsOf(calendar, 2, 2)]).toEqual([7_200_005, 10_800_005])
    expect(localsOf(calendar, 0, 1)[0]).toBe(5 + 3_600_000)
  })

  test('on a skipped time come later that day, and the day after on time again', () => {
    const start = instantOfLocal(berlin, Date.UTC(2024, 2, 30, 2, 30))
    expect(iso(instantsOf({ start, step: days(berlin) }, 0, 3))).toEqual([
      '2024-03-30T01:30:00.000Z',
      '2024-03-31T01:30:00.000Z',
      '2024-04-01T00:30:00.000Z',
    ])
  })

  test('are found again from their instants, in all zones and units', () => {
    const random = makeRandom(3)
    const units = ['day', 'week', 'month', 'quarter', 'year'] as const
    for (let i = 0; i < 400; i++) {
      const zone = zones[i % zones.length]!
      const unit = units[random.integer(0, 4)]!
      const step: Step = { kind: 'calendar', unit, count: random.integer(1, 4), zone }
      const calendar = { start: 60_000 * random.integer(0, 15_000_000), step }
      const index = random.integer(-30, 30)
      const instant = instantsOf(calendar, index, 1)[0]!
      // A step of one day may fall on the day that a zone left out: then two steps share an
      // instant.
      const found = stepAt(calendar, instant)
      expect(instantsOf(calendar, found.index, 1)[0]).toBe(instant)
      expect(found.exact).toBe(true)
      expect(found.index - index).toBeGreaterThanOrEqual(0)
      expect(found.index - index).toBeLessThanOrEqual(1)
      expect(stepAt(calendar, instant - 1).index).toBeLessThan(found.index)
      expect(stepAt(calendar, instant + 1)).toEqual({ index: found.index, exact: false })
    }
    const hourly: Calendar = { start: 100, step: { kind: 'fixed', ms: 10 } }
    expect(stepAt(hourly, 85)).toEqual({ index: -2, exact: false })
  })

  test('have a mean length', () => {
    expect(meanStepMs(months('quarter'))).toBe((dayMs * 365.2425) / 4)
    expect(meanStepMs(days(berlin, 3))).toBe(3 * dayMs)
  })

  test('that cannot be counted are refused by their field', () => {
    const field = (calendar: Calendar) => checkCalendar(calendar)?.field
    const step = months('month')
    expect(field({ start: 0, step })).toBeUndefined()
    expect(field({ start: Number.NaN, step })).toBe('/calendar/start')
    expect(field({ start: 0, step: { kind: 'fixed', ms: 0 } })).toBe('/calendar/step/ms')
    expect(field({ start: 0, step: months('year', 0.5) })).toBe('/calendar/step/count')
    expect(field({ start: 0, step: months('year', 401) })).toBe('/calendar/step/count')
    const unit = { kind: 'calendar', unit: 'toString', count: 1 } as unknown as Step
    expect(field({ start: 0, step: unit })).toBe('/calendar/step/unit')
    const zone = { name: 'x', instants: Float64Array.of(1, 1), offsetsMs: Float64Array.of(0, 0) }
    expect(field({ start: 0, step: days(zone) })).toBe('/calendar/step/zone')
    const far = { name: 'x', instants: Float64Array.of(1), offsetsMs: Float64Array.of(9e9) }
    expect(field({ start: 0, step: days(far) })).toBe('/calendar/step/zone')
    const odd = { name: 'x', instants: Float64Array.of(1), offsetsMs: new Float64Array(2) }
    expect(field({ start: 0, step: days(odd) })).toBe('/calendar/step/zone')
  })
})
