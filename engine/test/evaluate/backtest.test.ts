import { expect, test } from 'vitest'
import { backtest, fitModel, forecastModel, parseSpec, type Series } from '../../src/index.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { makeRandom } from '../random.ts'

const run = { seed: 1, workMax: 1e8 }
const naive = { family: 'baseline', method: 'naive' }
const autoregression = { family: 'arima', p: 1, d: 0, q: 0, differenceLag: 0, constant: true }

function autoregressive(seed: number, length: number): Series {
  const random = makeRandom(seed)
  const y = new Float64Array(length)
  for (let t = 1; t < length; t++) y[t] = 0.7 * y[t - 1]! + random.normal()
  return { y: y.map((value) => value + 20) }
}

test('a naive forecast misses by just the changes from each origin', () => {
  const y = Float64Array.of(1, 2, 4, 7, 5, 6, 10, 8)
  const { origins, horizons, overall } = doneValue(
    backtest({ y }, naive, { origins: 2, step: 2, horizon: 2 }, run),
  )
  // From 7 on 5 and 6; from 6 on 10 and 8.
  expect(origins.map(({ origin }) => origin)).toEqual([4, 6])
  expect(horizons.map(({ mae }) => mae)).toEqual([(2 + 4) / 2, (1 + 2) / 2])
  expect(overall.count).toBe(4)
  expect(overall.mae).toBe((2 + 1 + 4 + 2) / 4)
  // Mean changes: 2 before the first origin, (1 + 2 + 3 + 2 + 1) / 5 before the second.
  expect(overall.mase).toBeCloseTo((2 / 2 + 1 / 2 + 4 / 1.8 + 2 / 1.8) / 4, 14)
})

test('an origin forecasts what a fit of the observations before it does', () => {
  const series = autoregressive(3, 80)
  const quantiles = Float64Array.of(0.1, 0.9)
  const plan = { origins: 3, step: 5, horizon: 4, quantiles }
  const { origins } = doneValue(backtest(series, autoregression, plan, run))
  const spec = doneValue(parseSpec(autoregression))
  for (const result of origins) {
    const model = doneValue(fitModel({ y: series.y.slice(0, result.origin) }, spec, run))
    const forecast = doneValue(forecastModel(model, { horizon: 4, quantiles }))
    expect(result).toMatchObject({ kind: 'done', refitted: true, forecast })
  }
})

test('without refitting the parameters of the first origin forecast from all', () => {
  const series = autoregressive(4, 90)
  const plan = { origins: 4, step: 3, horizon: 2 }
  const once = doneValue(backtest(series, autoregression, { ...plan, refit: false }, run))
  const every = doneValue(backtest(series, autoregression, { ...plan, refit: 2 }, run))
  const always = doneValue(backtest(series, autoregression, plan, run))
  const refits = (test: typeof once) => test.origins.map(({ refitted }) => refitted)
  expect(refits(once)).toEqual([true, false, false, false])
  expect(refits(every)).toEqual([true, false, true, false])
  expect(refits(always)).toEqual([true, true, true, true])
  expect(once.origins[0]).toEqual(always.origins[0])
  expect(every.origins[2]).toEqual(always.origins[2])
  expect(once.origins[3]).not.toEqual(always.origins[3])
})

test('an observation that is missing is not scored', () => {
  const y = Float64Array.of(1, 2, 4, 7, 5, Number.NaN, 10)
  const { overall, horizons } = doneValue(backtest({ y }, naive, { origins: 1, horizon: 3 }, run))
  expect(overall.count).toBe(2)
  expect(horizons.map(({ count }) => count)).toEqual([1, 0, 1])
  expect(horizons[1]?.mae).toBeNaN()
})

test('normal intervals of the true model cover what they promise', () => {
  const plan = { origins: 300, horizon: 3, refit: false }
  const { overall } = doneValue(backtest(autoregressive(5, 900), autoregression, plan, run))
  const [eighty, ninetyFive] = overall.levels
  expect(eighty?.level).toBe(80)
  expect(eighty?.coverage).toBeGreaterThan(0.74)
  expect(eighty?.coverage).toBeLessThan(0.86)
  expect(ninetyFive?.coverage).toBeGreaterThan(0.91)
  expect(ninetyFive?.coverage).toBeLessThan(0.985)
})

test('an origin that cannot be fitted is told, and sinks no other', () => {
  const series = autoregressive(6, 20)
  const gappy = { y: series.y.map((value, t) => (t > 0 && t < 8 ? Number.NaN : value)) }
  const plan = { origins: 6, step: 2, horizon: 2 }
  const outcome = backtest(gappy, autoregression, plan, run)
  const { origins, overall } = doneValue(outcome)
  const kinds = origins.map(({ kind }) => kind)
  expect(kinds[0]).toBe('refused')
  expect(kinds.at(-1)).toBe('done')
  const made = kinds.filter((kind) => kind === 'done').length
  expect(overall.count).toBe(2 * made)
  expect(outcome).toMatchObject({ report: { origins: made, refused: 6 - made } })
})

test('a plan that the series cannot hold is refused', () => {
  const y = Float64Array.of(1, 2, 3, 4, 5)
  const reason = (plan: Parameters<typeof backtest>[2]) =>
    refusalOf(backtest({ y }, naive, plan, run))
  expect(reason({ origins: 4, horizon: 2 })).toMatchObject({ code: 'too-short', field: '/y' })
  expect(reason({ origins: 0, horizon: 2 })).toMatchObject({ field: '/origins' })
  expect(reason({ origins: 1, step: 0.5, horizon: 2 })).toMatchObject({ field: '/step' })
  expect(reason({ origins: 1, horizon: 2, refit: 0 })).toMatchObject({ field: '/refit' })
  expect(reason({ origins: 1, horizon: 2, quantiles: Float64Array.of(2) }).field).toBe('/quantiles')
  expect(refusalOf(backtest({ y }, { family: 'none' }, { origins: 1, horizon: 1 }, run)).code).toBe(
    'unknown-family',
  )
  expect(doneValue(backtest({ y }, naive, { origins: 3, horizon: 2 }, run)).origins).toHaveLength(3)
})

test('a backtest that is asked to stop returns the origins so far', () => {
  let asked = 0
  const shouldStop = () => ++asked > 2
  const plan = { origins: 5, horizon: 1 }
  const outcome = backtest({ y: Float64Array.of(1, 2, 4, 7, 5, 6, 10, 8) }, naive, plan, {
    ...run,
    shouldStop,
  })
  expect(outcome.kind).toBe('stopped')
  expect(doneValue(outcome).origins.length).toBeLessThan(5)
  expect(doneValue(outcome).origins.length).toBeGreaterThan(0)
})
