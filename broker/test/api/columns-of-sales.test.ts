import { expect, test } from 'vitest'
import { columnsOfSales } from '../../src/api/earlier/pipeline.ts'
import { readQuestions } from '../../src/api/predictions/csv.ts'

const columns = ['Date', 'Store ID', 'product_id']
const date = '2024-05-01'

function cellsOf(header: string, row: readonly string[]) {
  return readQuestions(Buffer.from(`${header}\n`), columns, columnsOfSales).cellsOf(row)
}

test.each([
  ['Date,Store ID,product_id', [date, '3', '17']],
  ['DATE,store_id,Product-Id', [date, '3', '17']],
  ['year,MONTH,store_id,product_id', ['2024', '5', '3', '17']],
  // The one that is spelt as at the training is meant.
  ['Date,date,Store ID,product_id', [date, '1999-01-01', '3', '17']],
])('columns of %s are those of the training', (header, row) => {
  expect(cellsOf(header, row)).toEqual([date, '3', '17'])
})

test.each([
  ['date,store_id', 'product_id'],
  ['year,store_id,product_id', 'Date'],
  ['date,DATE,store_id,product_id', 'Date'],
])('%s lacks what it has not, or has twice', (header, lacks) => {
  const ask = () => cellsOf(header, [])
  expect(ask).toThrow(expect.objectContaining({ code: 'missing-columns' }))
  expect(ask).toThrow(`lacks ${lacks};`)
})
