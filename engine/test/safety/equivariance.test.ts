import { describe, expect, test } from 'vitest'
import { fitModel, forecastModel, parseSpec, type Series } from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'
import { counts, growingSeason, walk } from '../family/series.ts'

const run = { seed: 5, workMax: 1e9 }
const ask = { horizon: 18, quantiles: Float64Array.of(0.05, 0.5, 0.95) }
const months: Series = { y: growingSeason(108).map((value) => value - 0.5), seasons: [12] }
const plain: Series = { y: walk(90), seasons: [] }
/** Not whole: whole demand has a distribution of its own, on whole numbers. */
const sparse: Series = { y: counts(90).map((value) => 1.37 * value), seasons: [] }
const additiveEts = { family: 'ets', error: 'A', season: 'A' }
const shiftedToo = 7_654

/**
 * What theory says of y → a·y + b. Where something is divided or a prior has a scale
 * (multiplicative seasons, CES, demand, Prophet's priors on values between 0 and 1) a shift is
 * another problem, and only the unit is free: b = 0. `within` is a share of the range of the data:
 * closed forms leave rounding alone, an optimiser ends somewhere in its tolerance.
 */
const rows: readonly [string, object, Series, number, number][] = [
  ['naive', { family: 'baseline', method: 'naive' }, plain, shiftedToo, 1e-10],
  ['seasonal naive', { family: 'baseline', method: 'seasonal-naive' }, months, shiftedToo, 1e-10],
  ['drift', { family: 'baseline', method: 'drift' }, plain, shiftedToo, 1e-10],
  ['mean', { family: 'baseline', method: 'mean' }, plain, shiftedToo, 1e-10],
  ['window', { family: 'baseline', method: 'window', window: 7 }, plain, shiftedToo, 1e-10],
  ['ARMA with a constant', arimaOf({ p: 1, q: 1, constant: true }), plain, shiftedToo, 1e-5],
  ['ARIMA of a difference', arimaOf({ p: 1, d: 1, q: 1 }), plain, shiftedToo, 1e-5],
  ['the airline model', arimaOf({ d: 1, q: 1, D: 1, Q: 1 }), months, shiftedToo, 1e-4],
  ['ARIMA, chosen', arimaOf({ select: true }), plain, shiftedToo, 1e-5],
  ['ETS(A,A,A)', { ...additiveEts, trend: 'A', damped: false }, months, shiftedToo, 1e-3],
  ['ETS(A,Ad,A)', { ...additiveEts, trend: 'A', damped: true }, months, shiftedToo, 1e-3],
  ['ETS(A,N,A)', { ...additiveEts, trend: 'N' }, months, shiftedToo, 1e-3],
  ['theta without a season', { family: 'theta' }, plain, shiftedToo, 1e-5],
  ['MSTL with a drift', mstlOf({ family: 'baseline', method: 'drift' }), months, shiftedToo, 1e-8],
  ['MSTL with ARIMA', mstlOf(arimaOf({ p: 1, d: 1 })), months, shiftedToo, 1e-5],
  ['ETS, chosen', { family: 'ets' }, months, 0, 1e-3],
  ['theta', { family: 'theta' }, months, 0, 1e-5],
  ['CES', { family: 'ces' }, months, 0, 1e-3],
  ['Croston', { family: 'croston' }, sparse, 0, 1e-5],
  ['additive regression', { family: 'additive' }, months, 0, 1e-4],
]

describe('a forecast in other units, and above another zero, is the forecast', () => {
  test.each(rows)('%s', (_name, given, series, b, within) => {
    const spec = doneValue(parseSpec(given))
    const forecastOf = (y: Float64Array) =>
      doneValue(forecastModel(doneValue(fitModel({ ...series, y }, spec, run)), ask, run))
    const before = forecastOf(series.y)
    const range = Math.max(...series.y) - Math.min(...series.y)
    for (const a of [3.7, 0.013]) {
      const after = forecastOf(series.y.map((value) => a * value + a * b))
      for (const part of ['point', 'quantiles'] as const) {
        const worst = after[part].reduce(
          (most, value, i) => Math.max(most, Math.abs(value / a - b - before[part][i]!)),
          0,
        )
        expect(worst / range, `${part}, a = ${a}`).toBeLessThan(within)
      }
    }
  })

  test('a mirror turns the quantiles of linear models round', () => {
    for (const given of [arimaOf({ p: 1, d: 1 }), { family: 'baseline', method: 'drift' }]) {
      const spec = doneValue(parseSpec(given))
      const forecastOf = (y: Float64Array) =>
        doneValue(forecastModel(doneValue(fitModel({ ...plain, y }, spec, run)), ask, run))
      const { point, quantiles } = forecastOf(plain.y)
      const mirrored = forecastOf(plain.y.map((value) => -value))
      for (let h = 0; h < ask.horizon; h++) {
        expect(-mirrored.point[h]!).toBeCloseTo(point[h]!, 6)
        for (let k = 0; k < 3; k++) {
          expect(-mirrored.quantiles[3 * h + 2 - k]!).toBeCloseTo(quantiles[3 * h + k]!, 5)
        }
      }
    }
  })
})

function arimaOf(orders: object): object {
  return { family: 'arima', differenceLag: 0, ...orders }
}

function mstlOf(member: object): object {
  return { family: 'mstl', member }
}
