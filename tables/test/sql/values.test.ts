import { compareKeys } from '@almanac/engine'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { timeFormatOf } from '../../src/recipe/time-format.ts'
import { duckdb } from '../../src/sql/dialect.ts'
import { escaped, keyOf, partsOfKey } from '../../src/sql/keys.ts'
import { numberOf } from '../../src/sql/numbers.ts'
import { timeOf } from '../../src/sql/times.ts'

let ask: (sql: string) => Promise<readonly (readonly unknown[])[]>
beforeAll(async () => {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  ask = async (sql) => (await connection.runAndReadAll(sql)).getRowsJS()
})
const one = async (sql: string) => (await ask(`SELECT ${sql}`))[0]![0]

describe('numbers', () => {
  test.each([
    ['1', 1],
    [' -1.50 ', -1.5],
    ['+.5', 0.5],
    ['1.', 1],
    ['1e3', 1_000],
    ['1_000', null],
    ['1,000', null],
    ['0x10', null],
    ['nan', null],
    ['inf', null],
    ['1e999', null],
    ['1d', null],
    ['', null],
    ['٣', null],
  ])('like %j are %j', async (text, number) => {
    const form = { decimal: '.', thousands: '' }
    expect(await one(numberOf(duckdb.literal(text), form, duckdb))).toBe(number)
  })

  test.each([
    ['1.234,5', ',', '.', 1_234.5],
    ['1234,5', ',', '.', 1_234.5],
    ['1.23,5', ',', '.', null],
    ["1'234.5", '.', "'", 1_234.5],
    ['1 234', '.', ' ', 1_234],
    ['1,5', ',', '', 1.5],
  ])('like %j with %j and %j are %j', async (text, decimal, thousands, number) => {
    const sql = numberOf(duckdb.literal(text), { decimal, thousands }, duckdb)
    expect(await one(sql)).toBe(number)
  })

  test('are those that JavaScript reads, too', async () => {
    const numbers = fc.sample(fc.double({ noNaN: true, noDefaultInfinity: true }), 300)
    const texts = numbers.map((number) => `(${duckdb.literal(String(number))})`)
    const sql = numberOf('t', { decimal: '.', thousands: '' }, duckdb)
    const rows = await ask(`SELECT ${sql} FROM (VALUES ${texts.join(', ')}) v(t)`)
    expect(rows.map(([number]) => (number as number) + 0)).toEqual(numbers.map((x) => x + 0))
  })
})

describe('times', () => {
  const instants = fc.date({
    min: new Date('1900-01-01'),
    max: new Date('2199-12-31'),
    noInvalidDate: true,
  })
  test('are those that JavaScript reads, in UTC and on the wall', async () => {
    const dates = fc.sample(instants, 200)
    const zone = 'America/New_York'
    const { wall, instant } = timeOf('t', timeFormatOf('iso'), zone, duckdb)
    const texts = dates.map((date) => `(${duckdb.literal(date.toISOString())})`)
    const rows = await ask(`SELECT ${instant}, ${wall} FROM (VALUES ${texts.join(', ')}) v(t)`)
    const there = new Intl.DateTimeFormat('sv-SE', {
      timeZone: zone,
      dateStyle: 'short',
      timeStyle: 'medium',
    })
    for (const [i, [seconds, shown]] of rows.entries()) {
      expect(Number(seconds)).toBe(Math.floor(dates[i]!.getTime() / 1_000))
      const text = new Date(Number(shown) * 1_000).toISOString().slice(0, 19).replace('T', ' ')
      expect(text).toBe(there.format(dates[i]!))
    }
  })

  test.each(['2024-02-30', '2024-13-01', '24-01-01', '2024-01-01T25:00', 'now', '2024', '1'])(
    '%s is none',
    async (text) => {
      const { wall } = timeOf(duckdb.literal(text), timeFormatOf('iso'), 'UTC', duckdb)
      expect(await one(wall)).toBe(null)
    },
  )

  test.each([
    ['%d.%m.%Y', '1.2.2024', '2024-02-01T00:00:00'],
    ['%d.%m.%Y', ' 1.2.2024 ', '2024-02-01T00:00:00'],
    ['%d.%m.%Y', '1. 2.2024', null],
    ['%d.%m.%Y', '1.2.24', null],
    ['%d.%m.%Y', '1.2.02024', null],
    ['%d.%m.%Y', '01.02.2024x', null],
    ['%Y%m%d', '20240131', '2024-01-31T00:00:00'],
    ['%Y%m%d', '2024131', null],
    ['%d %b %Y', '1 jan 2024', '2024-01-01T00:00:00'],
    ['%d %b %Y', '1 January 2024', null],
    ['%Y-%m-%d %H:%M', '2024-01-01 24:00', null],
    ['%m/%d/%Y %I:%M %p', '1/2/2024 1:05 pm', '2024-01-02T13:05:00'],
    ['%m/%d/%Y %I:%M %p', '1/2/2024 13:00 PM', null],
  ])('of the format %s: %j is %s', async (format, text, time) => {
    const { wall } = timeOf(duckdb.literal(text), timeFormatOf(format), 'UTC', duckdb)
    const seconds = await one(wall)
    const shown = seconds === null ? null : new Date(Number(seconds) * 1_000).toISOString()
    expect(shown?.slice(0, 19) ?? null).toBe(time)
  })
})

describe('keys', () => {
  const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((it) => !it.includes('\0'))
  const odd = fc.oneof(text, fc.stringMatching(/^[,=%25CD3a]{0,8}$/))

  test('come apart into the names and values that made them, in SQL as here', async () => {
    const property = fc.asyncProperty(
      fc.array(fc.tuple(odd, odd), { minLength: 1, maxLength: 4 }),
      async (parts) => {
        const key = parts.map(([name, value]) => `${escaped(name)}=${escaped(value)}`).join(',')
        expect(partsOfKey(key)).toEqual(parts)
        const sql = parts.map(([name, value]) => ({ name, sql: duckdb.literal(value) }))
        expect(await one(keyOf(sql, duckdb))).toBe(key)
      },
    )
    await fc.assert(property, { numRuns: 200 })
  })

  test('are in one order in SQL and in shards', async () => {
    const keys = [...new Set(fc.sample(text, 500))]
    const values = keys.map((key) => `(${duckdb.literal(key)})`).join(', ')
    const rows = await ask(`SELECT k FROM (VALUES ${values}) v(k) ORDER BY k`)
    expect(rows.map(([key]) => key)).toEqual(keys.toSorted(compareKeys))
  })
})
