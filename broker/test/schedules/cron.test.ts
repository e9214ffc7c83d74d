import { describe, expect, test } from 'vitest'
import { instantsOf } from '../../src/schedules/cron.ts'

const berlin = 'Europe/Berlin'

function runs(cron: string, from: string, count: number, timezone = berlin): string[] {
  const read = instantsOf(cron, timezone)
  if (!read.ok) throw new Error(read.fault.detail)
  const found: string[] = []
  for (let at = Date.parse(from); found.length < count; ) {
    at = read.value.after(at)!
    found.push(new Date(at).toISOString().replace(':00.000Z', 'Z'))
  }
  return found
}

function due(cron: string, since: string, now: string, most = 1_000) {
  const read = instantsOf(cron, berlin)
  if (!read.ok) throw new Error(read.fault.detail)
  const found = read.value.due(Date.parse(since), Date.parse(now), most)
  return found && { ...found, instant: new Date(found.instant).toISOString() }
}

test('days are told from the end of a month, and by their place among its weekdays', () => {
  const from = '2027-02-01T00:00:00Z'
  expect(runs('0 6 L * *', from, 2, 'UTC')).toEqual(['2027-02-28T06:00Z', '2027-03-31T06:00Z'])
  expect(runs('0 6 * * 5L', from, 2, 'UTC')).toEqual(['2027-02-26T06:00Z', '2027-03-26T06:00Z'])
  expect(runs('0 6 * * 1#2', from, 2, 'UTC')).toEqual(['2027-02-08T06:00Z', '2027-03-08T06:00Z'])
})

describe('where clocks go forward', () => {
  test('a time that does not exist is the first one after the gap, once', () => {
    expect(runs('30 2 * * *', '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:00Z',
      '2026-03-30T00:30Z',
    ])
    expect(runs('0,30 2 * * *', '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:00Z',
      '2026-03-30T00:00Z',
    ])
  })
  test('each real hour counts where hours have a star', () => {
    expect(runs('30 * * * *', '2026-03-29T00:00:00Z', 3)).toEqual([
      '2026-03-29T00:30Z',
      '2026-03-29T01:30Z',
      '2026-03-29T02:30Z',
    ])
  })
})

describe('where clocks go back', () => {
  test('a time that comes twice is the first of both', () => {
    expect(runs('30 2 * * *', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
    ])
    expect(due('30 2 * * *', '2026-10-25T00:30:00Z', '2026-10-25T01:45:00Z')).toBeUndefined()
  })
  test('each real hour counts where hours have a star', () => {
    expect(runs('30 * * * *', '2026-10-25T00:00:00Z', 3)).toEqual([
      '2026-10-25T00:30Z',
      '2026-10-25T01:30Z',
      '2026-10-25T02:30Z',
    ])
  })
})

test('on any day of two years each instant that is due is one that comes next', () => {
  for (const cron of ['30 2 * * *', '15 * * * *', '0 3 * * 1', '59 1-3 * * *']) {
    const all = runs(cron, '2025-12-31T00:00:00Z', 200)
    for (const [i, at] of all.entries()) {
      expect(due(cron, '2025-12-30T00:00:00Z', at, 1)).toMatchObject({
        instant: at.replace('Z', ':00.000Z'),
      })
      if (i > 0) expect(Date.parse(at)).toBeGreaterThan(Date.parse(all[i - 1]!))
    }
  }
})

test('of many that were missed the newest is due, and the others are counted', () => {
  const since = '2026-01-01T00:00:00Z'
  expect(due('0 * * * *', since, '2026-01-01T05:59:59Z')).toEqual({
    instant: '2026-01-01T05:00:00.000Z',
    missed: 3 + 1,
  })
  expect(due('* * * * *', since, '2026-12-01T00:00:00Z', 50)?.missed).toBe(50)
})

test('an instant is due from its first millisecond on, and not before', () => {
  expect(due('0 5 * * *', '2026-01-01T00:00:00Z', '2026-01-01T03:59:59.999Z')).toBeUndefined()
  expect(due('0 5 * * *', '2026-01-01T00:00:00Z', '2026-01-01T04:00:00.000Z')?.instant).toBe(
    '2026-01-01T04:00:00.000Z',
  )
  expect(due('0 5 * * *', '2026-01-01T04:00:00Z', '2026-01-01T04:00:30.000Z')).toBeUndefined()
})

test.each([
  ['* * * * * *', 'UTC', 'cron'],
  ['61 * * * *', 'UTC', 'cron'],
  ['0 0 30 2 *', 'UTC', 'cron'],
  ['@reboot', 'UTC', 'cron'],
  ['2026-01-01T00:00:00', 'UTC', 'cron'],
  ['', 'UTC', 'cron'],
  ['0 0 * * *', 'Mars/Olympus', 'timezone'],
])('%s in %s is refused by its %s', (cron, timezone, field) => {
  expect(instantsOf(cron, timezone)).toMatchObject({ ok: false, fault: { field } })
})
