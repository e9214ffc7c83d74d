import { describe, expect, test } from 'vitest'
import { fitTheta, thetaAt } from '../../src/theta/fit.ts'
import { thetaMoments } from '../../src/theta/forecast.ts'
import { parseThetaSpec, type ThetaMethod } from '../../src/theta/spec.ts'
import { referenceSeries } from '../arima/references.ts'
import { doneValue } from '../expect-done.ts'
import { airPassengers } from '../series/sample-series.ts'

const nile = Float64Array.from(referenceSeries.Nile!)
const run = { seed: 1, workMax: 1e9 }

type Reference = {
  readonly by: string
  readonly y: Float64Array
  readonly seasons: readonly number[]
  readonly method: ThetaMethod
  readonly given: { readonly alpha: number; readonly theta: number; readonly levelStart: number }
  readonly forecast: readonly number[]
}

/**
 * The classical method knows no first level of this model, which is forgotten by the end of these
 * series; its α is below 1 by far. Left out: R's nottem (α = 0.025, whose first level is not) and
 * austres (α = 0.9999, a walk). statsforecast's DSTM and DOTM begin their line a step later than
 * the paper's recursion does with none.
 */
const references: readonly Reference[] = [
  {
    by: 'R 4.2 forecast 8.20: thetaf(AirPassengers, h = 12)',
    y: airPassengers,
    seasons: [12],
    method: 'standard',
    given: { alpha: 0.837752089949302, theta: 2, levelStart: 100 },
    forecast: [440.078191081586, 428.384280556983, 489.707098669638, 475.704627661373],
  },
  {
    by: 'R 4.2 forecast 8.20: thetaf(Nile, h = 12)',
    y: nile,
    seasons: [],
    method: 'standard',
    given: { alpha: 0.245668153653116, theta: 2, levelStart: 1000 },
    forecast: [799.811996215856, 798.454843500585, 797.097690785313, 795.740538070042],
  },
  {
    by: 'statsmodels 0.15: ThetaModel(AirPassengers, period=12).fit()',
    y: airPassengers,
    seasons: [12],
    method: 'standard',
    given: { alpha: 0.8387758039557693, theta: 2, levelStart: 100 },
    forecast: [440.06792503950055, 428.3743145801757, 489.6957370791273, 475.693620895885],
  },
  {
    by: 'statsforecast 2.1.1: AutoTheta(season_length=12, model="STM") on AirPassengers',
    y: airPassengers,
    seasons: [12],
    method: 'standard',
    given: { alpha: 0.7539672851562504, theta: 2, levelStart: 27.31880537208198 },
    forecast: [440.96919545, 429.24924183, 490.69318724],
  },
  {
    by: 'statsforecast 2.1.1: AutoTheta(season_length=12, model="OTM") on AirPassengers',
    y: airPassengers,
    seasons: [12],
    method: 'optimised',
    given: {
      alpha: 0.7156664372398441,
      theta: 22.70488382725331,
      levelStart: -215.29400465748614,
    },
    forecast: [442.94253202, 432.23101568, 495.30793451],
  },
  {
    by: 'statsforecast 2.1.1: AutoTheta(season_length=12, model="DOTM") on AirPassengers',
    y: airPassengers,
    seasons: [12],
    method: 'dynamic',
    given: {
      alpha: 0.7247594168741598,
      theta: 90.89199991973408,
      levelStart: -363.30166262178375,
    },
    forecast: [442.92719487, 432.29840082, 495.48245438],
  },
  {
    by: 'statsforecast 2.1.1: AutoTheta(season_length=1, model="OTM") on Nile',
    y: nile,
    seasons: [],
    method: 'optimised',
    given: { alpha: 0.2289149436191035, theta: 3836.970019874157, levelStart: 183.38602774706183 },
    forecast: [799.1949899, 796.48139188, 793.76779385],
  },
  {
    by: 'statsforecast 2.1.1: AutoTheta(season_length=1, model="DSTM") on Nile',
    y: nile,
    seasons: [],
    method: 'dynamic-standard',
    given: { alpha: 0.30327899456024143, theta: 2, levelStart: 844.1067762374878 },
    forecast: [783.03345327, 781.67702634, 780.32205576],
  },
]

describe.each(references)('$by', ({ y, seasons, method, given, forecast }) => {
  const spec = { ...doneValue(parseThetaSpec({ family: 'theta' })), method }

  test('its forecast follows from its parameters', () => {
    const { model } = thetaAt({ y, seasons }, spec, given)
    const { point } = thetaMoments(model, forecast.length)
    forecast.forEach((value, h) => {
      expect(Math.abs(point[h]! / value - 1), `step ${h}`).toBeLessThan(1e-6)
    })
  })

  test('its squares are no less than those of our optimum, but for the weight of the first', () => {
    const ours = doneValue(fitTheta({ y, seasons }, spec, run))
    const { alpha, share, levelStart, origin } = ours
    const refitted = thetaAt({ y, seasons }, spec, {
      alpha,
      theta: 1 / (1 - share),
      levelStart: levelStart + origin * (1 - share),
    })
    const theirs = thetaAt({ y, seasons }, spec, given)
    expect(refitted.squares).toBeLessThan(theirs.squares * 1.0005)
  })
})
