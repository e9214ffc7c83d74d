import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fitRegression, parseRecipe, readTraining, runRegression } from '../../src/index.ts'
import {
  decodeRegression,
  encodeRegression,
  makePredict,
  parseRegression,
  type RegressionModel,
  type RegressionSpec,
} from '../../src/regress/index.ts'
import { makeFolder } from '../run/tables.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
beforeAll(async () => {
  folder = await makeFolder()
})
afterAll(() => folder.drop())

const features = [
  { column: 'store', type: 'category' },
  { column: 'date', type: 'month' },
  { column: 'price', type: 'number' },
] as const
const linear: RegressionSpec = { target: 'sold', features, model: { kind: 'linear' } }
const forest: RegressionSpec = {
  ...linear,
  model: { kind: 'forest', trees: 30, depthMax: 10, leafMin: 2, seed: 7 },
}

const bonus = { a: 0, 'b, c': 100, d: 40 } as const
const months = Array.from({ length: 12 }, (_, i) => String(i + 1).padStart(2, '0'))

const row = (store: string, date: string, price: string, sold = '') =>
  new Map([
    ['store', store],
    ['date', date],
    ['price', price],
    ['sold', sold],
  ])

/** sold = 5 + 2 month - 3 price + what the store sells more. */
const rows = Object.entries(bonus).flatMap(([store, more]) =>
  months.flatMap((month, i) =>
    [1, 2, 3, 4].map((price) =>
      row(store, `2023-${month}-15`, `${price}`, `${5 + 2 * (i + 1) - 3 * price + more}`),
    ),
  ),
)

/** As it is after it was stored. */
function stored(model: RegressionModel): RegressionModel {
  const decoded = decodeRegression(encodeRegression(model))
  if ('fault' in decoded) throw new Error(decoded.fault)
  return decoded
}

function fitted(spec: RegressionSpec): RegressionModel {
  const fit = fitRegression(spec, [...rows, row('d', '2023-01-01', '1')])
  if (fit.kind === 'refused') throw new Error(JSON.stringify(fit.faults))
  return stored(fit.value)
}

describe('a regression', () => {
  test('that is linear finds the numbers that made its rows', () => {
    const model = fitted(linear)
    expect(model).toMatchObject({
      rows: 144,
      unusable: 1,
      categories: [['a', 'd', 'b, c'], [], []],
    })
    const predict = makePredict(model)
    expect(predict(row('b, c', '2025-07-01', '2.5'))).toBeCloseTo(5 + 14 - 7.5 + 100, 8)
    expect(predict(row('a', '2025-01-31', '10'))).toBeCloseTo(5 + 2 - 30, 8)
    expect(predict(row('a', '2025-01-31', '1e308'))).toMatchObject({ column: 'sold' })
  })

  test('by a forest is near them, the same for the same seed, and within what it has seen', () => {
    const model = fitted(forest)
    expect(fitted(forest)).toEqual(model)
    const predict = makePredict(model)
    const errors = Object.entries(bonus).map(([store, more]) => {
      const found = predict(row(store, '2023-06-15', '2'))
      return Math.abs(Number(found) - (5 + 12 - 6 + more))
    })
    expect(Math.max(...errors)).toBeLessThan(6)
    expect(predict(row('b, c', '2023-12-15', '-1000'))).toBeLessThanOrEqual(5 + 24 - 3 + 100)
  })

  test('says of a row what is wrong with it', () => {
    const predict = makePredict(fitted(forest))
    const faults = [
      ['e', '2023-06-15', '2', 'store', '"e" was not there when the model was fitted'],
      ['a', '2023-02-30', '2', 'date', '"2023-02-30" is not a date like 2024-01-31'],
      ['a', '2023-13-01', '2', 'date', '"2023-13-01" is not a date like 2024-01-31'],
      ['a', '2023-00-10', '2', 'date', '"2023-00-10" is not a date like 2024-01-31'],
      ['a', '2023-02-01', 'dear', 'price', '"dear" is not a number'],
      ['', '2023-02-01', '1', 'store', 'there is no value'],
    ] as const
    for (const [store, date, price, column, reason] of faults)
      expect(predict(row(store, date, price))).toEqual({ column, reason })
  })

  test('with more categories than a matrix bears is refused, and a forest is not', () => {
    const many = Array.from({ length: 400 }, (_, i) => row(`s${i}`, '', '', `${i}`))
    const spec = { ...linear, features: [features[0]] }
    expect(fitRegression(spec, many)).toMatchObject({
      kind: 'refused',
      faults: [{ remedy: 'Fit a forest, or use at most 300 categories.' }],
    })
    expect(fitRegression({ ...spec, model: forest.model }, many).kind).toBe('done')
  })

  test('without rows that can be used is refused', () => {
    expect(fitRegression(linear, [row('a', '2023-01-01', '1')])).toMatchObject({
      kind: 'refused',
      faults: [{ detail: 'Of 1 rows 0 have a target and all features; it takes two.' }],
    })
  })

  test('of one row is refused with what would help: more rows, not other columns', () => {
    const only = new Map([...row('a', '2023-01-01', '1'), [linear.target, '3']])
    const detail = 'Of 1 rows 1 have a target and all features; it takes two.'
    const remedy = 'Use a file with more rows, a shorter frequency, or more keys.'
    expect(fitRegression(linear, [only])).toMatchObject({ faults: [{ detail, remedy }] })
  })

  test('takes a million rows and no more, and reads no further than it has to', () => {
    let read = 0
    function* endless() {
      const one = row('a', '2023-01-01', '1', '2')
      for (;;) {
        read += 1
        yield one
      }
    }
    const refused = fitRegression(forest, endless())
    expect(refused).toMatchObject({
      kind: 'refused',
      faults: [{ detail: expect.stringContaining('more than 1000000 rows') }],
    })
    expect(read).toBe(1_000_001)
  })

  test('whose trees would not fit in a model is refused', () => {
    const noisy = Array.from({ length: 20_000 }, (_, i) =>
      row(
        `s${i % 500}`,
        `2023-${months[i % 12]}-0${1 + (i % 9)}`,
        `${i}`,
        `${(i * 7_919) % 10_007}`,
      ),
    )
    const large = { kind: 'forest', trees: 500, depthMax: 30, leafMin: 1, seed: 1 } as const
    expect(fitRegression({ ...forest, model: large }, noisy)).toMatchObject({
      kind: 'refused',
      faults: [{ field: '/model', remedy: expect.stringContaining('fewer trees') }],
    })
  })

  test('that is stored is refused when a tree of it leads out of itself', () => {
    const { fitted: trees, ...rest } = fitted(forest)
    if (trees.kind !== 'forest') throw new Error('a forest was fitted')
    for (const child of [0.5, trees.value.length, -1]) {
      const left = trees.left.slice()
      left[1] = child === 0.5 ? 1 : child
      const bytes = encodeRegression({ ...rest, fitted: { ...trees, left } })
      expect(decodeRegression(bytes)).toEqual({ fault: 'tree 0 leads elsewhere' })
    }
    const bytes = encodeRegression({ ...rest, fitted: trees })
    bytes[200]! ^= 1
    expect(decodeRegression(bytes)).toHaveProperty('fault')
  })
})

const recipe = {
  source: { format: 'csv' },
  time: { column: 'day' },
  target: 'sold',
  keys: ['store'],
  frequency: 'monthly',
  features: [{ column: 'price', type: 'number' }],
}

async function fitFile(text: string, spec: object) {
  const parsed = parseRecipe(recipe)
  if (parsed.kind === 'refused') throw new Error(JSON.stringify(parsed.faults))
  const wanted = parseRegression(spec, parsed.value)
  if (wanted.kind === 'refused') return wanted
  const file = join(folder.path, 'sales.csv')
  await writeFile(file, text)
  const rejectsFile = join(folder.path, 'rejects.csv')
  const machine = { memoryMb: 768, threads: 2, scratch: folder.path }
  const signal = AbortSignal.timeout(60_000)
  const run = { file, recipe: parsed.value, rejectsFile, ...machine, signal, spec: wanted.value }
  const fractions: number[] = []
  const result = await runRegression(run, { fitting: (fraction) => fractions.push(fraction) })
  return { ...result, fractions }
}

describe('a regression on a table', () => {
  test('learns from what the recipe makes: sums of months, and names as they are', async () => {
    const lines = ['=a', '-5'].flatMap((store, more) =>
      months.flatMap((month) =>
        ['01', '15'].map((day) => `2023-${month}-${day},${store},3,${10 + 100 * more}`),
      ),
    )
    const text = ['day,store,price,sold', ...lines, '2023-05-01,=a,3,many'].join('\n')
    const made = await fitFile(text, { family: 'regression', model: { kind: 'linear' } })
    if (made.kind !== 'done') throw new Error(JSON.stringify(made))
    expect(made.summary).toMatchObject({ rows: 49, rejected: 1, series: 2 })
    expect(made.fitted).toMatchObject({ rows: 24, unusable: 0, categories: 2 })
    const model = decodeRegression(made.model)
    if ('fault' in model) throw new Error(model.fault)
    expect(model.categories[0]).toEqual(['=a', '-5'])
    const ask = new Map([
      ['store', '-5'],
      ['day', '2024-03-09'],
      ['price', '3'],
    ])
    expect(makePredict(model)(ask)).toBeCloseTo(220, 6)
  })

  test('tells how far it is, and says what cannot be used', async () => {
    const text = `day,store,price,sold\n${months.map((m) => `2023-${m}-01,a,1,${m}`).join('\n')}\n`
    const made = await fitFile(text, { family: 'regression', model: { kind: 'forest', trees: 3 } })
    expect(made).toMatchObject({ kind: 'done', fractions: [1 / 3, 2 / 3, 1] })
    const none = await fitFile('day,store,price,sold\n2023-01-01,a,,5\n', { family: 'regression' })
    expect(none).toMatchObject({
      kind: 'refused',
      faults: [{ detail: 'Of 1 rows 0 have a target and all features; it takes two.' }],
    })
  })

  test('has no more rows in memory than it takes, from a file either', async () => {
    const file = join(folder.path, 'long.csv')
    await writeFile(file, `sold,date,store,price\n${'1,2023-01-01,a,1\n'.repeat(1_000_010)}`)
    const form = { delimiter: ',', quote: '"', multiline: false, header: null } as const
    const training = await readTraining(linear, { file, encoding: 'utf-8', ...form })
    expect(training).toMatchObject({ kind: 'refused' })
  })
})

describe('the spec of a regression', () => {
  const parse = (spec: object) => {
    const parsed = parseRecipe(recipe)
    if (parsed.kind === 'refused') throw new Error(JSON.stringify(parsed.faults))
    return parseRegression(spec, parsed.value)
  }

  test('is a forest on keys, parts of the time and features, unless it says more', () => {
    expect(parse({ family: 'regression' })).toEqual({
      kind: 'done',
      value: {
        family: 'regression',
        target: 'sold',
        features: [
          { column: 'store', type: 'category' },
          { column: 'day', type: 'year' },
          { column: 'day', type: 'month' },
          { column: 'price', type: 'number' },
        ],
        model: { kind: 'forest', trees: 50, depthMax: 10, leafMin: 2, seed: 1 },
      },
    })
  })

  test.each([
    ['an unknown field', { trees: 5 }, '/trees'],
    ['a model of another kind', { model: { kind: 'net' } }, '/model/kind'],
    ['an unknown field of a model', { model: { kind: 'linear', trees: 5 } }, '/model/trees'],
    ['too many trees', { model: { kind: 'forest', trees: 501 } }, '/model/trees'],
    ['another target', { target: 'price' }, '/target'],
    [
      'a column that is not made',
      { features: [{ column: 'x', type: 'number' }] },
      '/features/0/column',
    ],
    ['its target', { features: [{ column: 'sold', type: 'number' }] }, '/features/0/column'],
    ['a month of a key', { features: [{ column: 'store', type: 'month' }] }, '/features/0/type'],
    ['a time as it is', { features: [{ column: 'day', type: 'number' }] }, '/features/0/type'],
    ['no features', { features: [] }, '/features'],
  ])('that has %s is refused by its field', (_, spec, field) => {
    const parsed = parse({ family: 'regression', ...spec })
    expect(parsed).toMatchObject({ kind: 'refused', faults: [{ field }] })
  })
})
