import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  fitRegression,
  makePredict,
  predictFile,
  type RegressionModel,
  type RegressionSpec,
  readRegressionRows,
} from '../../src/index.ts'
import { makeFolder } from '../run/tables.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
beforeAll(async () => {
  folder = await makeFolder()
})
afterAll(() => folder.drop())

const form = { encoding: 'utf-8', delimiter: ',', quote: '"', multiline: false } as const
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
/** sold = 5 + 2 month - 3 price + what the store sells more. */
const rows = Object.entries(bonus).flatMap(([store, more]) =>
  months.flatMap((month, i) =>
    [1, 2, 3, 4].map((price) => {
      const sold = 5 + 2 * (i + 1) - 3 * price + more
      return `"${store}",2023-${month}-15,${price},${sold}`
    }),
  ),
)

async function fitted(spec: RegressionSpec): Promise<RegressionModel> {
  const file = join(folder.path, 'train.csv')
  await writeFile(file, `store,date,price,sold\n${rows.join('\n')}\nd,2023-01-01,1,\n`)
  const fit = fitRegression(spec, await readRegressionRows({ ...form, file, header: null }))
  if (fit.kind === 'refused') throw new Error(JSON.stringify(fit.faults))
  // As it is after it was stored.
  return JSON.parse(JSON.stringify(fit.value))
}

const row = (store: string, date: string, price: string) =>
  new Map([
    ['store', store],
    ['date', date],
    ['price', price],
  ])

describe('a regression', () => {
  test('that is linear finds the numbers that made its rows', async () => {
    const model = await fitted(linear)
    expect(model).toMatchObject({
      rows: 144,
      unusable: 1,
      categories: { store: ['a', 'd', 'b, c'] },
    })
    const predict = makePredict(model)
    expect(predict(row('b, c', '2025-07-01', '2.5'))).toBeCloseTo(5 + 14 - 7.5 + 100, 8)
    expect(predict(row('a', '2025-01-31', '10'))).toBeCloseTo(5 + 2 - 30, 8)
  })

  test('by a forest is near them, the same for the same seed, and within what it has seen', async () => {
    const model = await fitted(forest)
    expect(await fitted(forest)).toEqual(model)
    const predict = makePredict(model)
    const errors = Object.entries(bonus).map(([store, more]) => {
      const found = predict(row(store, '2023-06-15', '2'))
      return Math.abs(Number(found) - (5 + 12 - 6 + more))
    })
    expect(Math.max(...errors)).toBeLessThan(6)
    expect(predict(row('b, c', '2023-12-15', '-1000'))).toBeLessThanOrEqual(5 + 24 - 3 + 100)
  })

  test('says of a row what is wrong with it', async () => {
    const predict = makePredict(await fitted(forest))
    expect(predict(row('e', '2023-06-15', '2'))).toEqual({
      column: 'store',
      reason: '"e" was not there when the model was fitted',
    })
    expect(predict(row('a', '2023-02-30', '2'))).toEqual({
      column: 'date',
      reason: '"2023-02-30" is not a date like 2024-01-31',
    })
    expect(predict(row('a', '2023-02-01', 'dear'))).toEqual({
      column: 'price',
      reason: '"dear" is not a number',
    })
    expect(predict(row('', '2023-02-01', '1'))).toEqual({
      column: 'store',
      reason: 'there is no value',
    })
  })

  test('predicts a file into a file, each row with a prediction or the reason for none', async () => {
    const file = join(folder.path, 'ask.csv')
    const out = join(folder.path, 'answer.csv')
    await writeFile(
      file,
      'date,price,store\n2024-03-01,1,d\n2024-03-01,1,"x\n2024-03-01,1,nowhere\n2024-03-01,1\n',
    )
    const counts = await predictFile(await fitted(linear), { ...form, file, header: null }, out)
    expect(counts).toEqual({ predicted: 1, unpredicted: 3 })
    const [header, first, ...rest] = (await readFile(out, 'utf8')).trimEnd().split('\n')
    expect(header).toBe('line,date,price,store,prediction,reason')
    const [line, , , store, prediction, reason] = first!.split(',')
    expect([line, store, reason]).toEqual(['2', 'd', ''])
    expect(Number(prediction)).toBeCloseTo(5 + 6 - 3 + 40, 8)
    expect(rest).toEqual([
      '3,,,,,a quote is opened and not closed',
      '4,2024-03-01,1,nowhere,,"store: ""nowhere"" was not there when the model was fitted"',
      '5,,,,,"it has 2 fields, not 3"',
    ])
  })

  test('with more categories than a matrix bears is refused, and a forest is not', () => {
    const many = Array.from(
      { length: 400 },
      (_, i) =>
        new Map([
          ['store', `s${i}`],
          ['sold', `${i}`],
        ]),
    )
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
      faults: [{ detail: 'Of 1 rows 0 have a target and all features.' }],
    })
  })
})
