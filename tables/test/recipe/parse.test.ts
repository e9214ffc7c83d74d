import { describe, expect, test } from 'vitest'
import { parseRecipe } from '../../src/recipe/parse.ts'

const good = {
  source: { format: 'csv' },
  time: { column: 'date' },
  target: 'sold',
  keys: ['store', 'product'],
  frequency: 'daily',
}

function faultsOf(recipe: unknown): string[] {
  const parsed = parseRecipe(recipe)
  if (parsed.kind === 'done') return []
  return parsed.faults.map(({ field, detail, remedy }) => `${field}: ${detail} ${remedy}`)
}

describe('a recipe', () => {
  test('needs little, and has all of it said', () => {
    expect(parseRecipe(good)).toMatchObject({
      kind: 'done',
      value: {
        source: { delimiter: ',', quote: '"', encoding: 'utf-8', decimal: '.', multiline: false },
        time: { format: 'iso', zone: 'UTC' },
        aggregate: 'sum',
        duplicates: 'keep',
        gaps: { fill: 'leave', of: 'absent', until: 'series' },
      },
    })
  })

  test('without keys is of one series', () => {
    const { keys: _, ...bare } = good
    expect(parseRecipe(bare)).toMatchObject({ kind: 'done', value: { keys: [] } })
  })

  test('says that it is not there', () => {
    expect(faultsOf(undefined)).toEqual([': It is missing. Give an object.'])
  })

  test.each<readonly [object, string]>([
    [{ tagret: 'x' }, '/tagret: This field is not known. Known are source, time, target, keys'],
    [{ target: undefined }, '/target: This field is missing. Give a string.'],
    [{ keys: 'store' }, '/keys: It is "store". Give an array.'],
    [{ keys: Array.from('abcdefghi') }, '/keys: It has too few or too many items. Give 0 to 8'],
    [{ frequency: 'dayly' }, '/frequency: It is "dayly". Give one of "hourly", "daily"'],
    [{ source: { format: 'xls' } }, '/source/format: It is "xls". Give one of "csv", "ndjson"'],
    [{ source: { format: 'csv', sep: ';' } }, '/source/sep: This field is not known. Known are'],
    [{ source: { format: 'parquet', decimal: ',' } }, '/source/decimal: This field is not known.'],
    [{ source: { format: 'csv', quote: 1 } }, '/source/quote: It is 1. Give a string or null.'],
    [{ source: { format: 'csv', skip: -1 } }, '/source/skip: It is -1. Give a number from 0 to'],
    [
      { source: { format: 'csv', delimiter: '' } },
      '/source/delimiter: It is "". Give a text of 1 character.',
    ],
    [{ source: { format: 'csv', delimiter: '\n' } }, '/source/delimiter: It is "\\n". Give one'],
    [{ source: { format: 'csv', quote: ',' } }, '/source/quote: It is the delimiter, too.'],
    [
      { source: { format: 'csv', decimal: ',', thousands: ',' } },
      '/source/thousands: Both the decimal and the thousands separator are ",".',
    ],
    [{ source: { format: 'csv', header: ['a', 'a'] } }, '/source/header: "a" is there twice.'],
    [{ time: { column: 'date', format: '%Q' } }, '/time/format: %Q is not known. Give iso,'],
    [{ time: { column: 'date', format: 'yyyy' } }, '/time/format: "yyyy" is no format of times.'],
    [{ time: { column: 'date', format: '%d.%m.' } }, '/time/format: It has no year. Add %Y'],
    [{ time: { column: 'date', format: "%Y'%m" } }, '/time/format: "\'" cannot stand between'],
    [{ time: { column: 'date', zone: 'Mars/North' } }, '/time/zone: No time zone is called'],
    [{ target: 'date' }, '/target: "date" is the time or a key, too.'],
    [{ keys: ['date'] }, '/keys: "date" is the time, too.'],
    [{ keys: ['a', 'a'] }, '/keys: "a" is there twice.'],
    [{ steps: [{ do: 'explode' }] }, '/steps/0/do: It is "explode". Give one of "select"'],
    [{ steps: [{ do: 'rename', from: 'a' }] }, '/steps/0/to: This field is missing.'],
    [{ steps: [null] }, '/steps/0: It is null. Give an object.'],
    [
      { steps: [{ do: 'filter', column: 'a', is: '=' }] },
      '/steps/0/value: "=" needs it. Say what to compare with.',
    ],
    [
      { steps: [{ do: 'filter', column: 'a', is: 'missing', values: ['x'] }] },
      '/steps/0/values: "missing" has no use for it. Leave it out.',
    ],
    [{ stockOuts: {} }, '/stockOuts: It does not say how a stock-out is known.'],
    [{ stockOuts: { zeros: 5, values: ['x'] } }, '/stockOuts/values: There is no column'],
    [{ outliers: { do: 'flag', reach: 1 } }, '/outliers/reach: It is 1. Give a number from 2'],
    [{ levelShifts: {} }, '/levelShifts/do: This field is missing. Give one of "flag", "repair"'],
    [{ gaps: { fill: 'guess' } }, '/gaps/fill: It is "guess". Give one of "leave", "zero"'],
    [
      { gaps: { fill: 'interpolate', until: 'table' } },
      '/gaps/until: After its last observation a series cannot be filled with interpolate.',
    ],
  ])('with %j is refused by name', (change, fault) => {
    const faults = faultsOf(JSON.parse(JSON.stringify({ ...good, ...change })))
    expect(faults.filter((told) => told.startsWith(fault))).toHaveLength(1)
    expect(faults).toHaveLength(1)
  })

  test.each([null, 3, 'csv', [], {}])('that is %j is refused', (recipe) => {
    expect(faultsOf(recipe).length).toBeGreaterThan(0)
  })

  test('hears of all of its faults at once', () => {
    expect(faultsOf({ ...good, target: 3, source: { format: 'csv', sep: 1 } })).toHaveLength(2)
  })
})
