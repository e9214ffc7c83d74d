import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { localParts } from '../../src/series/calendar-zones.ts'
import { isTimeZone, zoneFrom } from '../../src/series/zone-table.ts'

const hourMs = 3_600_000

test.each([
  ['UTC', true],
  ['Europe/Berlin', true],
  ['America/Argentina/Buenos_Aires', true],
  ['Etc/GMT+3', true],
  ['Europe/Atlantis', false],
  ['+01:00', false],
  ['CET', false],
  ['', false],
  [`Europe/${'x'.repeat(80)}`, false],
])('whether %s is a zone: %s', (name, is) => {
  expect(isTimeZone(name)).toBe(is)
})

test('a zone has its transitions', () => {
  const { instants, offsetsMs } = zoneFrom('Europe/Berlin', Date.UTC(2026, 0, 1))!
  const from = instants.indexOf(Date.UTC(2026, 2, 29, 1))
  expect(from).toBeGreaterThan(0)
  expect(instants[from + 1]).toBe(Date.UTC(2026, 9, 25, 1))
  expect([...offsetsMs].slice(from - 1, from + 2)).toEqual([hourMs, 2 * hourMs, hourMs])
  expect(instants.at(-1)).toBeGreaterThan(Date.UTC(2099, 9, 1))
  expect(from).toBeLessThan(3)
})

test('UTC has none, and a zone without summer time only what was before', () => {
  expect(zoneFrom('UTC', 0)).toBeUndefined()
  expect(zoneFrom('Asia/Kolkata', Date.UTC(2026, 0, 1))!.offsetsMs.at(-1)).toBe(5.5 * hourMs)
  expect(() => zoneFrom('Europe/Atlantis', 0)).toThrow(RangeError)
})

describe('local times', () => {
  const names = [
    'Europe/London',
    'America/New_York',
    'America/Sao_Paulo',
    'Africa/Casablanca',
    'Australia/Lord_Howe',
    'Pacific/Apia',
    'Asia/Kathmandu',
  ]
  test.each(names)('of %s are those of the runtime', (timeZone) => {
    const [year, month, day] = ['numeric', 'numeric', 'numeric'] as const
    const [hour, minute, second] = ['numeric', 'numeric', 'numeric'] as const
    const wanted = new Intl.DateTimeFormat('en', {
      ...{ timeZone, hourCycle: 'h23', year, month, day, hour, minute, second },
    })
    const range = { min: Date.UTC(1901, 0, 1) / 1_000, max: Date.UTC(2099, 11, 31) / 1_000 }
    fc.assert(
      fc.property(fc.integer(range), (seconds) => {
        const instant = seconds * 1_000
        const of = localParts(zoneFrom(timeZone, instant), instant)
        const parts = wanted.formatToParts(instant).filter(({ type }) => type in of)
        expect(of).toMatchObject(
          Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)])),
        )
        expect(parts).toHaveLength(6)
      }),
      { numRuns: 300 },
    )
  })
})
