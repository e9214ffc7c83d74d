import fc from 'fast-check'

const oddTexts = [
  ...['', ' ', 'a', 'A', 'a b', '\u00a0a', 'a\t', '"', "it's", 'a\\b', 'a\\nb', '%', '=', ',', ';'],
  ...[
    'ß',
    'SS',
    'İ',
    'é',
    'e\u0301',
    'Ж',
    '💡',
    '\u2028',
    '\u200b',
    'NULL',
    'null',
    'NA',
    '-',
    '#',
  ],
  ...['1', '01', '1.0', 'true', '$', '$1', '{{x}}', '--', '/*', '\u0001', '\ufffd', 'z'.repeat(60)],
] as const
/** Sums of them are exact in any order. */
const numbers = [
  ...['0', '1', '2', '-3', '4.5', '0.25', '1e2', '+7', '1.', '.5', ' 8 ', '-0', '12', '13', '14'],
  ...[
    '',
    '',
    'NA',
    'x',
    '1_000',
    '1,5',
    '0x10',
    'nan',
    'inf',
    '1e999',
    '1d',
    '٣',
    '\u00a05',
    '1 2',
  ],
] as const
const isoTimes = [
  ...[
    '2024-02-29',
    '2023-02-29',
    '2024-03-31 02:30:00',
    '2024-10-27 02:30',
    '2024-10-27T01:30:00Z',
  ],
  ...['2024-03-10T07:00:00+05:30', '2024-01-01 24:00:00', '2024-1-2', '2024-01-02T03', '2024-01'],
  ...['', ' 2024-01-05 ', '2024-01-05T10:00:00.999999Z', '0999-01-01', '9999-12-31', '20240105'],
  ...['2024-13-01', '2024-01-05 25:00', '2024-W05', 'now', '1969-12-31T23:59:59Z', '2024-01-05Z'],
] as const
const writtenTimes = [
  ...[
    '05.01.2024',
    '5.1.2024',
    '29.02.2023',
    '31.12.2024',
    '01.01.24',
    ' 05.01.2024',
    '05.01.2024 ',
  ],
  ...['', '5/1/2024', '2024-01-05', '00.01.2024', '05.13.2024', '05.01.20245', '05.01.2024x'],
] as const
const days = Array.from({ length: 40 }, (_, i) => {
  return new Date(Date.UTC(2024, 1, 20 + i)).toISOString().slice(0, 10)
})

const often = <T>(plain: readonly T[], odd: readonly T[]) =>
  fc.oneof(
    { arbitrary: fc.constantFrom(...plain), weight: 5 },
    { arbitrary: fc.constantFrom(...odd), weight: 1 },
  )
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`

const times = fc.constantFrom(
  { format: 'iso', cell: often(days, isoTimes) },
  {
    format: '%d.%m.%Y',
    cell: often(
      days.map((day) => day.split('-').reverse().join('.')),
      writtenTimes,
    ),
  },
)
const filters = fc.constantFrom(
  [],
  [{ do: 'filter', column: 'kind', is: 'not in', values: ['a', "it's", 'a\\b', '%'] }],
  [{ do: 'filter', column: 'kind', is: '>=', value: 'a' }],
  [{ do: 'filter', column: 'kind', is: 'present' }],
  [{ do: 'filter', column: 'sold', is: '!=', value: 2 }],
  [
    { do: 'derive', part: 'weekday', as: 'weekday' },
    { do: 'filter', column: 'weekday', is: '<=', value: 5 },
  ],
)

/** Recipes that are sound, for tables of rows of which many are not. */
export const oddCase = times.chain(({ format, cell }) => {
  const row = fc
    .tuple(
      cell,
      often(['a', 'b'], oddTexts),
      often(['a', 'b', 'c'], oddTexts),
      often(['1', '2', '30'], numbers),
    )
    .map((cells) => cells.map(quoted).join(','))
  const recipe = fc.record({
    time: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York').map((zone) => {
      return { column: 'date', format, zone }
    }),
    keys: fc.constantFrom([], ['store'], ['store', 'kind']),
    frequency: fc.constantFrom('hourly', 'daily', 'weekly', 'monthly', 'quarterly', 'yearly'),
    aggregate: fc.constantFrom('sum', 'mean', 'count', 'min', 'max'),
    duplicates: fc.constantFrom('keep', 'refuse', 'first', 'last', 'sum', 'mean'),
    features: fc.constantFrom([], [{ column: 'kind', type: 'category', aggregate: 'max' }]),
    steps: filters,
    source: fc.constantFrom(
      { format: 'csv' },
      { format: 'csv', missing: ['NA', '-', "it's", 'a\\b'] },
    ),
    stockOuts: fc.constantFrom(undefined, { column: 'kind', values: ['a', 'ß', "it's", 'é'] }),
  })
  return fc.record({
    recipe: recipe.map(({ stockOuts, ...rest }) => ({
      ...rest,
      ...(stockOuts ? { stockOuts } : {}),
    })),
    table: fc.array(row, { minLength: 30, maxLength: 120 }).map((rows) => {
      return `date,store,kind,sold\n${rows.join('\n')}\n`
    }),
  })
})
