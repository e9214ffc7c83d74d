import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { frequencies } from '@almanac/engine'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { timeFormatOf } from '../../src/recipe/time-format.ts'
import { type SparkEngine, sparkEngine } from '../../src/spark/engine.ts'
import { openSparkSession, type SparkSession } from '../../src/spark/session.ts'
import { type Dialect, duckdb, spark } from '../../src/sql/dialect.ts'
import { keyOf } from '../../src/sql/keys.ts'
import { numberOf } from '../../src/sql/numbers.ts'
import { datePartOf, periodOf, timeOf } from '../../src/sql/times.ts'

let folder: string
let connection: DuckDBConnection
let session: SparkSession
let engine: SparkEngine
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-dialects-'))
  connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.run("SET TimeZone = 'UTC'")
  session = await openSparkSession({ address: inject('spark')! }, AbortSignal.timeout(600_000))
  engine = await sparkEngine(session, pathToFileURL(folder).href)
})
afterAll(async () => {
  await session?.close()
  connection?.closeSync()
  await rm(folder, { recursive: true, force: true })
})

type Expression = (dialect: Dialect) => string

/** Texts of which an expression has another value on Spark than on DuckDB. */
async function unlike(texts: readonly (string | null)[], ...expressions: readonly Expression[]) {
  const sql = (dialect: Dialect) => {
    const rows = texts.map((text, i) => `(${i}, ${text === null ? 'NULL' : dialect.literal(text)})`)
    const asked = expressions.map((of) => of(dialect)).join(', ')
    return `SELECT ${asked} FROM (VALUES ${rows.join(', ')}) v(i, t) ORDER BY i`
  }
  const ours = (await connection.runAndReadAll(sql(duckdb))).getRowsJS()
  const theirs = await engine.rows(sql(spark))
  return texts.flatMap((text, i) => {
    const [left, right] = [ours[i]!.map(plainly), theirs[i]!.map(plainly)]
    return left.every((value, j) => Object.is(value, right[j])) ? [] : [{ text, left, right }]
  })
}

const plainly = (value: unknown) => (typeof value === 'bigint' ? Number(value) : value)

test.each([
  ['.', ''],
  [',', '.'],
  ['.', "'"],
  ['.', ' '],
  [',', ''],
])('numbers with %j and %j are the same ones', async (decimal, thousands) => {
  const number: Expression = (dialect) => numberOf('t', { decimal, thousands }, dialect)
  expect(await unlike(numbers, number)).toEqual([])
})

test.each(['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'])(
  'times in ISO 8601 are the same ones in %s, and in the same periods',
  async (zone) => {
    const time = (dialect: Dialect) => timeOf('t', timeFormatOf('iso'), zone, dialect)
    const periods = frequencies.map(
      (one): Expression =>
        (dialect) =>
          periodOf(one, time(dialect), dialect),
    )
    const parts = dateParts.map(
      (part): Expression =>
        (dialect) =>
          datePartOf(part, time(dialect), dialect),
    )
    const both = [(of: Dialect) => time(of).wall, (of: Dialect) => time(of).instant]
    expect(await unlike(iso, ...both, ...periods, ...parts)).toEqual([])
  },
)

test.each(['epoch-seconds', 'epoch-milliseconds'])(
  'times by %s are the same ones',
  async (form) => {
    const time: Expression = (of) => timeOf('t', timeFormatOf(form), 'UTC', of).wall
    expect(await unlike(epochs, time)).toEqual([])
  },
)

test('times that are written as a recipe says are the same ones', async () => {
  for (const [form, texts] of Object.entries(forms)) {
    const time: Expression = (of) => timeOf('t', timeFormatOf(form), 'UTC', of).wall
    expect(await unlike(texts, time), form).toEqual([])
  }
})

test('texts have the same beginning, length, small letters and place in a key', async () => {
  const key: Expression = (of) => keyOf([{ name: 'a=b', sql: 't' }], of)
  const small: Expression = () => 'LOWER(t)'
  const cut: Expression[] = [() => 'LENGTH(t)', () => 'SUBSTRING(t, 1, 1)', (of) => of.trimmed('t')]
  expect(await unlike(plain, key, small, ...cut)).toEqual([])
})

const dateParts = [
  ...(['year', 'quarter', 'month', 'week'] as const),
  ...(['day', 'weekday', 'day-of-year', 'hour'] as const),
]
const numbers = [
  '1',
  ' -1.50 ',
  '+.5',
  '1.',
  '1e3',
  '1_000',
  '1,000',
  '0x10',
  'nan',
  'NaN',
  'inf',
  'Infinity',
  '1e999',
  '-1e999',
  '1d',
  '1f',
  '1L',
  '',
  '٣',
  '-0',
  '0',
  '-0.0',
  '1e-400',
  '4.9e-324',
  '9007199254740993',
  '9223372036854775808',
  '123456789012345678901234567890',
  '1.7976931348623157e308',
  '1.7976931348623159e308',
  '1\n',
  '\t1',
  '1\t',
  '1\u00a0',
  '0.1',
  '1e+5',
  '1E5',
  '1e',
  '.',
  '+',
  '-',
  '--1',
  '0.30000000000000004',
  '2.2250738585072011e-308',
  '5e-324',
  '1e23',
  '8.41e21',
  '9e15',
  '1.234,5',
  '1234,5',
  "1'234.5",
  '1 234',
  '1,5',
  null,
]
const iso = [
  '2024-01-31',
  '2024-02-30',
  '2024-01-31 10:00:00',
  '2024-01-31T10:00',
  '2024-01-31T10:00:00.123456789Z',
  '2024-01-31T23:59:59.9999999',
  '2024-01-31T24:00:00',
  '2024-01-31T10:00:60',
  '2024-01-31T10:60',
  '2024-01-31T10:00+01',
  '2024-01-31T10:00+0130',
  '2024-01-31T10:00-01:30',
  '2024-01-31T10:00-00:30',
  '2024-01-31T10:00:00-0030',
  '2024-01-31T10:00+25:00',
  '2024-01',
  '2024',
  '2024-13',
  '2024-00',
  '0000-01-01',
  '0001-01-01',
  '1582-10-10',
  '1582-10-04',
  '9999-12-31',
  '2024-01-31 ',
  '2024-01-31\n',
  '2024-1-1',
  '2023-02-29',
  '1900-02-29',
  '2024-03-31T02:30',
  '2024-10-27T02:30',
  '2024-10-27T03:30',
  '1969-12-31T23:59:59.5',
  '1883-11-18T12:03:00',
  '1945-05-24T02:30:00',
  '2500-06-01T12:00',
  null,
  '2024-01-31T10:00:00.',
  '2024-01-31T10',
  '2024-01-31Z',
]
const epochs = [
  '0',
  '-1',
  '1700000000',
  '1700000000123',
  '-1001',
  '99999999999',
  '999999999999',
  '99999999999999',
  '1.5',
  '',
  ' 5',
  '5 ',
  '5\n',
  '+5',
]
const plain = [
  ' a ',
  '\ta\t',
  '\u00a0a',
  'ISTANBUL',
  'ẞ',
  'Σ',
  'ΌΣΑ',
  'ǅ',
  '😀',
  'e\u0301',
  'a\nb',
  '"x',
  'A,B',
  '',
  null,
  '\u2028',
  'ß',
]
const forms: Readonly<Record<string, readonly string[]>> = {
  '%d.%m.%Y': [
    '1.2.2024',
    '01.02.2024',
    '31.02.2024',
    '32.1.2024',
    '1.13.2024',
    '1.2.24',
    '1.2.02024',
    '1.2.12024',
    ' 1.2.2024',
    '1. 2.2024',
    '01.02.2024 ',
    '01.02.2024x',
    '0.1.2024',
    '001.02.2024',
    '1.2.-2024',
    '1.2.0000',
  ],
  '%Y%m%d': ['20240131', '2024131', '20240230', '202401311', '2024 131', '2024-1-31'],
  '%d/%m/%y': ['1/2/24', '1/2/68', '1/2/69', '1/2/99', '1/2/00', '1/2/2024', '1/2/4'],
  '%d %b %Y': [
    '1 Jan 2024',
    '1 jan 2024',
    '1 JAN 2024',
    '1 January 2024',
    '1 Sept 2024',
    '1 Sep 2024',
    '1  Sep 2024',
    '1 May 2024',
  ],
  '%B %d, %Y': [
    'January 1, 2024',
    'january 1, 2024',
    'Jan 1, 2024',
    'May 1, 2024',
    'September 01, 2024',
  ],
  '%Y-%m-%d %H:%M': [
    '2024-01-01 1:2',
    '2024-01-01 24:00',
    '2024-01-01 23:60',
    '2024-01-01 01:02',
    '2024-01-01',
  ],
  '%Y-%m-%d %H:%M:%S': [
    '2024-01-01 01:02:03',
    '2024-01-01 01:02:60',
    '2024-01-01 01:02:61',
    '2024-01-01 01:02:03.5',
    '2024-1-1 1:2:3',
  ],
  '%m/%d/%Y %I:%M %p': [
    '1/2/2024 12:00 AM',
    '1/2/2024 12:00 PM',
    '1/2/2024 1:05 pm',
    '1/2/2024 13:00 PM',
    '1/2/2024 0:30 AM',
    '1/2/2024 1:05 p.m.',
    '1/2/2024 11:59 Pm',
  ],
  '%d/%m/%Y %H:%M:%S %z': [
    '1/2/2024 10:00:00 +0100',
    '1/2/2024 10:00:00 +01:00',
    '1/2/2024 10:00:00 +01',
    '1/2/2024 10:00:00 Z',
    '1/2/2024 10:00:00 -0530',
    '1/2/2024 10:00:00 UTC',
    '1/2/2024 10:00:00 +1',
    '1/2/2024 10:00:00 +00:30',
    '1/2/2024 10:00:00 -00:30',
    '1/2/2024 10:00:00 +2500',
  ],
  '%Y': ['2024', '1999', '99', '20245'],
  '%Y-%m': ['2024-01', '2024-1', '2024-13'],
  '%H:%M %Y': ['10:30 2024'],
  '%I %Y': ['10 2024', '12 2024', '0 2024'],
  '%H %p %Y': ['10 PM 2024', '10 AM 2024', '13 PM 2024', '13 AM 2024', '0 PM 2024'],
  '%Y %y': ['2024 25'],
  '%Y%m%d%H%M%S': ['20240131010203', '2024013101020'],
  '%d-%b-%y': ['01-Jan-24', '1-FEB-70'],
}
