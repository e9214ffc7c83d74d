import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { collectRows, csvRecords } from '../../src/lines/csv-records.ts'
import { makeLineReader } from '../../src/lines/line-reader.ts'

type Read = {
  readonly header: readonly string[]
  readonly rows: readonly (readonly (string | null)[])[]
  readonly rejects: readonly (readonly [line: number, reason: string])[]
}

/** What is read of some bytes that come in pieces of some sizes. */
function readIn(bytes: Buffer, sizes: readonly number[], multiline: boolean): Read {
  const collected = collectRows(',', 1_000)
  let header: readonly string[] = []
  const rejects: (readonly [number, string])[] = []
  const begin = (names: readonly string[]) => {
    header = names
    return collected
  }
  const reject = (line: number, reason: string) => {
    rejects.push([line, reason])
  }
  const form = { delimiter: ',', quote: '"', multiline, header: null }
  const reader = makeLineReader(csvRecords(form, begin, reject), reject)
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    reader.push(Buffer.from(bytes.subarray(at, at + size)))
    at += size
  }
  reader.end()
  return { header, rows: collected.rows, rejects }
}

const quoted = (value: string) =>
  /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
const textOf = (rows: readonly (readonly string[])[], end: string) =>
  rows.map((row) => row.map(quoted).join(',') + end).join('')

const unit = fc.constantFrom('a', 'ü', '😀', ' ', ',', '"', "'", ';')
const value = (more: readonly string[]) =>
  fc.string({ unit: fc.oneof(unit, fc.constantFrom('b', ...more)), maxLength: 6 })
const tableOf = (more: readonly string[]) =>
  fc.array(fc.tuple(fc.constant('x'), value(more), value(more)), { minLength: 1, maxLength: 30 })
const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 })
const ends = fc.constantFrom('\n', '\r\n')

describe('CSV', () => {
  test('is read as it was written, however it comes in pieces', () => {
    const property = fc.property(
      tableOf([]),
      sizes,
      ends,
      fc.boolean(),
      (rows, cuts, end, both) => {
        const bytes = Buffer.from(textOf([['id', 'b', 'c'], ...rows], end))
        expect(readIn(bytes, cuts, both)).toEqual({ header: ['id', 'b', 'c'], rows, rejects: [] })
      },
    )
    fc.assert(property, { numRuns: 300 })
  })

  test('may have line breaks in quotes', () => {
    const property = fc.property(tableOf(['\n', '\r\n']), sizes, ends, (rows, cuts, end) => {
      const bytes = Buffer.from(textOf([['id', 'b', 'c'], ...rows], end))
      expect(readIn(bytes, cuts, true)).toEqual({ header: ['id', 'b', 'c'], rows, rejects: [] })
    })
    fc.assert(property, { numRuns: 300 })
  })

  test('loses one line to an open quote, wherever it is', () => {
    const property = fc.property(tableOf([]), sizes, fc.nat(), (rows, cuts, chance) => {
      const at = chance % (rows.length + 1)
      const lines = rows.map((row) => row.map(quoted).join(','))
      lines.splice(at, 0, 'x,"open,1')
      const bytes = Buffer.from(`id,b,c\n${lines.join('\n')}\n`)
      const rejects = [[at + 2, 'a quote is opened and not closed']]
      expect(readIn(bytes, cuts, false)).toEqual({ header: ['id', 'b', 'c'], rows, rejects })
    })
    fc.assert(property, { numRuns: 300 })
  })

  test('gives columns without a name their number, and doubled names one each', () => {
    const { header } = readIn(Buffer.from('a,,a,a\n1,2,3,4\n'), [100], false)
    expect(header).toEqual(['a', 'column 2', 'a (2)', 'a (3)'])
  })
})
