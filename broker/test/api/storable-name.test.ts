import { isFileName } from '@almanac/shared'
import { expect, test } from 'vitest'
import { storableName } from '../../src/api/earlier/storable-name.ts'

test.each([
  ['sales.csv', 'sales.csv'],
  ['2024_sales-v1.2.csv.gz', '2024_sales-v1.2.csv.gz'],
  ['Sales 2024 (1).csv', 'Sales-2024-1.csv'],
  ['Umsätze März.csv', 'Umsatze-Marz.csv'],
  ['売上.csv', 'file.csv'],
  ['../../etc/passwd', 'etc-passwd'],
  ['.hidden', 'file.hidden'],
  ['', 'file'],
  ['a\u0000b\n.csv', 'a-b.csv'],
  [`${'long '.repeat(100)}.csv`, `${'long-'.repeat(30)}.csv`],
])('%j is stored as %j', (own, name) => {
  expect(storableName(own)).toBe(name)
  expect(isFileName(`uploads/${name}`)).toBe(true)
})
