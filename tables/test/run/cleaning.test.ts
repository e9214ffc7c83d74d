import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeFolder, ran } from './tables.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
beforeAll(async () => {
  folder = await makeFolder()
})
afterAll(() => folder.drop())

const lines = (...all: readonly string[]) => `${all.join('\n')}\n`

describe('rows', () => {
  test('are cast, and those that cannot be are rejected one by one, each with its reason', async () => {
    const table = lines(
      'date,store,sold',
      '2024-01-01,a,1',
      '01.02.2024,a,2',
      ',a,3',
      '2024-01-02,,4',
      '2024-01-02,a,many',
      '2024-02-30,a,5',
      '2024-01-03,a,',
      '2024-01-04,a,4.5',
    )
    const { series, rejects, summary } = await ran(folder.path, {}, table)
    expect(series).toEqual({ 'store=a': [1, null, null, 4.5] })
    expect(rejects).toEqual([
      '3,read,rejected,it is not a time in ISO 8601,date,,,,,"01.02.2024,a,2"',
      '4,read,rejected,there is no time,date,,,,,",a,3"',
      '5,read,rejected,there is no value for the key,store,,,,,"2024-01-02,,4"',
      '6,read,rejected,it is not a number,sold,,,,,"2024-01-02,a,many"',
      '7,read,rejected,it is not a time in ISO 8601,date,,,,,"2024-02-30,a,5"',
    ])
    expect(summary).toMatchObject({ rows: 8, rejected: 5, dropped: 0, missing: 2, absent: 1 })
    expect(summary.reasons).toContainEqual({
      step: 'read',
      column: 'date',
      reason: 'it is not a time in ISO 8601',
      outcome: 'rejected',
      count: 2,
    })
  })

  test('are selected, renamed, derived and filtered in the order of the steps', async () => {
    const steps = [
      { do: 'drop', columns: ['note'] },
      { do: 'rename', from: 'units', to: 'sold' },
      { do: 'derive', part: 'weekday', as: 'weekday' },
      { do: 'filter', column: 'weekday', is: '!=', value: 7 },
      { do: 'filter', column: 'kind', is: 'in', values: ['sale', 'gift'] },
      { do: 'select', columns: ['store', 'sold'] },
    ]
    const table = lines(
      'date,store,units,kind,note',
      '2024-01-05,a,1,sale,x',
      '2024-01-06,a,2,return,y',
      '2024-01-07,a,3,sale,z',
      '2024-01-08,a,4,gift,',
    )
    const { series, rejects, summary } = await ran(folder.path, { steps }, table)
    expect(series).toEqual({ 'store=a': [1, null, null, 4] })
    expect(rejects).toEqual([
      '3,steps/4,dropped,"it is not in sale, gift",kind,,,,,"2024-01-06,a,2,return,y"',
      '4,steps/3,dropped,it is not != 7,weekday,,,,,"2024-01-07,a,3,sale,z"',
    ])
    expect(summary).toMatchObject({ rows: 4, rejected: 0, dropped: 2 })
  })

  const twoStores = lines(
    'date,store,sold',
    '2024-01-31,b,10',
    '2024-01-01,a,1',
    '2024-01-15,a,2',
    '2024-02-29,a,6',
    '2024-03-01,b,20',
  )
  test.each([
    ['sum', [3, 6], [10, null, 20]],
    ['mean', [1.5, 6], [10, null, 20]],
    ['count', [2, 1], [1, null, 1]],
    ['min', [1, 6], [10, null, 20]],
    ['max', [2, 6], [10, null, 20]],
  ])('of a month are one by their %s', async (aggregate, a, b) => {
    const recipe = { frequency: 'monthly', aggregate }
    const { series, starts, summary } = await ran(folder.path, recipe, twoStores)
    expect(series).toEqual({ 'store=a': a, 'store=b': b })
    expect(starts).toEqual({ 'store=a': '2024-01-01', 'store=b': '2024-01-01' })
    expect(summary).toMatchObject({ first: '2024-01-01', last: '2024-03-01', observations: 5 })
  })

  const doubles = lines(
    'date,store,sold',
    '2024-01-01,a,1',
    '2024-01-02,a,10',
    '2024-01-02,a,20',
    '2024-01-02,a,60',
    '2024-01-03,a,3',
  )
  test.each([
    ['keep', 90, []],
    ['refuse', null, [3, 4, 5]],
    ['first', 10, [4, 5]],
    ['last', 60, [3, 4]],
    ['sum', 90, [4, 5]],
    ['mean', 30, [4, 5]],
  ])('with the same keys and time follow the rule %s', async (duplicates, second, told) => {
    const { series, rejects, summary } = await ran(folder.path, { duplicates }, doubles)
    expect(series).toEqual({ 'store=a': [1, second, 3] })
    expect(rejects.map((row) => Number(row.split(',')[0]))).toEqual(told)
    expect(rejects.every((row) => row.includes(',duplicates,'))).toBe(true)
    const [reason] = summary.reasons
    expect(reason?.count ?? 0).toBe(told.length)
    expect(summary.rejected).toBe(duplicates === 'refuse' ? 3 : 0)
    expect(summary.dropped).toBe(['first', 'last'].includes(duplicates) ? 2 : 0)
  })
})

describe('the clean table', () => {
  test('has a row for each period, with the features of its rows', async () => {
    const table = lines(
      'date,store,sold,price,promotion',
      '2024-01-01,a=1,1,10,',
      '2024-01-01,a=1,2,20,yes',
      '2024-01-03,a=1,-4,5.5,no',
      '2024-01-03,b,5,dear,no',
    )
    const features = [
      { column: 'price', type: 'number' },
      { column: 'promotion', type: 'category', aggregate: 'max' },
      { column: 'month', type: 'category' },
    ]
    const steps = [{ do: 'derive', part: 'month', as: 'month' }]
    for (const duplicates of ['keep', 'sum']) {
      const { clean, rejects } = await ran(folder.path, { features, steps, duplicates }, table)
      expect(clean).toBe(
        lines(
          'store,date,sold,price,promotion,month',
          'a=1,2024-01-01,3,15,yes,1',
          'a=1,2024-01-02,,,,',
          'a=1,2024-01-03,-4,5.5,no,1',
        ),
      )
      expect(rejects[0]).toContain('5,read,rejected,it is not a number,price,')
    }
  })
})

describe('stock-outs', () => {
  test('of a column make the value missing, and are no zeros', async () => {
    const table = lines(
      'date,store,sold,out',
      '2024-01-01,a,5,0',
      '2024-01-02,a,0,TRUE',
      '2024-01-03,a,0,0',
    )
    const recipe = { stockOuts: { column: 'out' }, gaps: { fill: 'zero' } }
    const { series, rejects } = await ran(folder.path, recipe, table)
    expect(series).toEqual({ 'store=a': [5, null, 0] })
    expect(rejects).toEqual(['3,stockOuts,changed,it was sold out,sold,store=a,2024-01-02,0,,'])
  })

  test('are runs of zeros, but for those at the ends', async () => {
    const values = [0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 6, 0, 0, 0]
    const rows = values.map((value, i) => `2024-01-${String(i + 1).padStart(2, '0')},a,${value}`)
    const table = lines('date,store,sold', ...rows)
    const { series, rejects } = await ran(folder.path, { stockOuts: { zeros: 3 } }, table)
    expect(series).toEqual({
      'store=a': [0, 0, 0, 4, null, null, null, 5, 0, 0, 6, 0, 0, 0],
    })
    expect(rejects).toHaveLength(3)
    expect(rejects[0]).toBe(
      ',stockOuts,changed,one of several zeros in a row,sold,store=a,2024-01-05,0,,',
    )
  })
})

describe('gaps', () => {
  const table = lines(
    'date,store,sold',
    '2024-01-01,a,2',
    '2024-01-04,a,8',
    '2024-01-05,a,',
    '2024-01-06,a,10',
    '2024-01-08,b,1',
  )
  test.each([
    ['leave', 'series', 'absent', [2, null, null, 8, null, 10]],
    ['zero', 'series', 'absent', [2, 0, 0, 8, null, 10]],
    ['zero', 'table', 'missing', [2, 0, 0, 8, 0, 10, 0, 0]],
    ['forward', 'series', 'missing', [2, 2, 2, 8, 8, 10]],
    ['interpolate', 'series', 'absent', [2, 4, 6, 8, null, 10]],
    ['interpolate', 'series', 'missing', [2, 4, 6, 8, 9, 10]],
  ])('are filled by %s up to the end of the %s, where one is %s', async (fill, until, of, a) => {
    const { series, summary } = await ran(folder.path, { gaps: { fill, until, of } }, table)
    expect(series).toEqual({ 'store=a': a, 'store=b': [1] })
    const known = a.filter((value) => value !== null).length
    expect(summary).toMatchObject({ absent: a.length - 4, filled: known - 3 })
  })
})

describe('a series', () => {
  test('with too many periods is left out, and says so', async () => {
    const table = lines('date,store,sold', '1001-01-01,a,1', '9001-01-01,a,1', '2024-01-01,b,2')
    const { series, rejects, summary } = await ran(folder.path, {}, table)
    expect(series).toEqual({ 'store=b': [2] })
    expect(rejects).toEqual([',series,rejected,it has more than 1000000 periods,,store=a,,,,'])
    expect(summary).toMatchObject({ rows: 3, rejected: 0, series: 1 })
    const alone = lines('date,store,sold', '1001-01-01,a,1', '9001-01-01,a,1')
    await expect(ran(folder.path, {}, alone)).rejects.toThrow(/Each series has more than/)
  })

  test('has its keys in the order of the recipe, and shards have theirs by their bytes', async () => {
    const names = ['ü', 'z', 'Z', '10', '9', '\u{1f600}', '\uffee', 'a b']
    const table = lines('date,x,store,sold', ...names.map((name) => `2024-01-01,1,${name},1`))
    const { shards, series } = await ran(folder.path, { keys: ['x', 'store'] }, table, 3)
    const keys = names.map((name) => `x=1,store=${name}`)
    const wanted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(Object.keys(series)).toEqual(wanted)
    expect(shards).toEqual([
      { firstKey: wanted[0], series: 3 },
      { firstKey: wanted[3], series: 3 },
      { firstKey: wanted[6], series: 2 },
    ])
  })
})

describe('outliers and level shifts', () => {
  const days = (values: readonly number[]) =>
    lines(
      'date,store,sold',
      ...values.map((value, i) => {
        const date = new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10)
        return `${date},a,${value}`
      }),
    )
  const calm = [10, 11, 9, 10, 12, 10, 9, 11, 10, 9, 11, 10]

  test('far from their neighbours are flagged, or put to the median around them', async () => {
    const wild = calm.map((value, i) => (i === 5 ? 500 : value))
    const flag = await ran(folder.path, { outliers: { do: 'flag', reach: 5 } }, days(wild))
    expect(flag.series['store=a']).toEqual(wild)
    const told = 'it is far from the median around it,sold,store=a,2024-01-06,500,10,'
    expect(flag.rejects).toEqual([`,outliers,flagged,${told}`])
    const repair = await ran(folder.path, { outliers: { do: 'repair', reach: 5 } }, days(wild))
    expect(repair.series['store=a']).toEqual(calm.map((value, i) => (i === 5 ? 10 : value)))
    expect(repair.rejects).toEqual([`,outliers,changed,${told}`])
  })

  test('of the level are flagged where they are, or all before is moved', async () => {
    const moved = [...calm, ...calm.map((value) => value + 100)]
    const rule = { window: 6, threshold: 5 }
    const flag = await ran(folder.path, { levelShifts: { do: 'flag', ...rule } }, days(moved))
    expect(flag.series['store=a']).toEqual(moved)
    expect(flag.rejects).toHaveLength(1)
    expect(flag.rejects[0]).toContain(',flagged,the level moves here,sold,store=a,2024-01-13,')
    const repair = await ran(folder.path, { levelShifts: { do: 'repair', ...rule } }, days(moved))
    expect(repair.series['store=a']).toEqual(
      moved.map((value, i) => (i < 12 ? value + 100 : value)),
    )
    expect(repair.summary.reasons).toEqual([
      {
        step: 'levelShifts',
        column: 'sold',
        reason: 'the level moves after it',
        outcome: 'changed',
        count: 12,
      },
    ])
  })
})
