import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { type CsvRow, makeCsvReader, readCsv } from '../../src/lines/csv-rows.ts'
import { makeLineReader } from '../../src/lines/line-reader.ts'

const mark = Buffer.from([0xef, 0xbb, 0xbf])

/** All that a reader says of a CSV that comes in pieces of some size. */
function readIn(bytes: Buffer, size: number) {
  const reader = makeCsvReader()
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
  reader.end()
  return { header: reader.header(), rows: reader.taken() }
}

function allOf(text: string | Buffer) {
  const read = readCsv(Buffer.from(text))
  if ('fault' in read) return read
  return { header: read.header, rows: [...read.rows()].flat() }
}

describe('the rows of a CSV', () => {
  test.each([1, 2, 3, 4, 100])('have no mark of their encoding, in pieces of %i bytes', (size) => {
    const bytes = Buffer.concat([mark, Buffer.from('"a",b\n1,2\n')])
    expect(readIn(bytes, size)).toEqual({
      header: ['a', 'b'],
      rows: [{ line: 2, values: ['1', '2'] }],
    })
  })

  test('are read of a file that is shorter than a mark', () => {
    expect(readIn(Buffer.from('a'), 1)).toEqual({ header: ['a'], rows: [] })
    expect(allOf('a')).toEqual({ header: ['a'], rows: [] })
  })

  test('are none where there is no line', () => {
    for (const text of ['', '\n\n'])
      expect(allOf(text)).toEqual({ fault: 'there is no line in it' })
  })

  test('are told of by the first thing that is wrong before the header', () => {
    const { header } = readIn(Buffer.from('a\0b\n"open\n'), 100)
    expect(header).toEqual({ fault: 'there is a NUL byte in it' })
  })

  test('keep the numbers of their lines over quoted breaks, empty lines and rejects', () => {
    const text = 'a,b\n"1\n\n1",2\n\n3,4,5\n6\n"7"8,9\n10,"11"'
    expect(allOf(text)).toEqual({
      header: ['a', 'b'],
      rows: [
        { line: 2, values: ['1\n\n1', '2'] },
        { line: 6, fault: 'it has 3 fields, not 2' },
        { line: 7, fault: 'it has 1 fields, not 2' },
        { line: 8, fault: 'there is text after a closing quote' },
        { line: 9, values: ['10', '11'] },
      ],
    })
  })

  test('end with one whose quoted field has breaks up to the end of the file', () => {
    for (const size of [1, 100])
      expect(readIn(Buffer.from('a,b\n1,"2\n3"'), size)).toMatchObject({
        rows: [{ line: 2, values: ['1', '2\n3'] }],
      })
  })

  test('are one line less where a quote stays open, whatever follows', () => {
    const { rows } = allOf('a,b\n1,"2\n3,4\n5,6\n') as { rows: readonly CsvRow[] }
    expect(rows).toEqual([
      { line: 2, fault: 'a quote is opened and not closed' },
      { line: 3, values: ['3', '4'] },
      { line: 4, values: ['5', '6'] },
    ])
  })

  test('take nothing into a quoted field that is no text', () => {
    const bytes = Buffer.concat([
      Buffer.from('a,b\n1,"2\n'),
      Buffer.from([0xff]),
      Buffer.from('"\n3,4\n'),
    ])
    const { rows } = allOf(bytes) as { rows: readonly CsvRow[] }
    expect(rows.map((row) => ('fault' in row ? row.line : row.values))).toEqual([2, 3, ['3', '4']])
  })
})

describe('a line', () => {
  /** The lengths of the lines that were taken, and the numbers of those that were not. */
  function taken(pieces: readonly Buffer[], skip = 0) {
    const found: number[] = []
    const rejected: number[] = []
    const take = (_bytes: Buffer, from: number, to: number) => {
      found.push(to - from)
      return to
    }
    const reader = makeLineReader(take, (line) => rejected.push(line), skip)
    for (const piece of pieces) reader.push(piece)
    reader.end()
    return { found, rejected }
  }
  const most = limits.lineBytesMax
  const line = (length: number) => Buffer.from(`${'x'.repeat(length)}\n`)

  test('may be as long as is said, and is rejected alone where it is longer', () => {
    const whole = Buffer.concat([line(most), line(most + 1), line(3)])
    const expected = { found: [most, 3], rejected: [2] }
    expect(taken([whole])).toEqual(expected)
  })

  test('that is too long is rejected once, in however many pieces it comes', () => {
    const piece = Buffer.from('x'.repeat(most + 1))
    const pieces = [line(2), piece, piece, piece, line(1), line(4)]
    expect(taken(pieces)).toEqual({ found: [2, 4], rejected: [2] })
  })

  test('of the first ones is passed over where that is asked for, and not one more', () => {
    expect(taken([Buffer.from('a\nbb\nccc\n')], 2)).toEqual({ found: [3], rejected: [] })
  })
})
