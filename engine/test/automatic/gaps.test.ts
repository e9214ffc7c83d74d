import { expect, test } from 'vitest'
import { encodeModel, filterModel, fitModel, forecastModel, parseSpec } from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'
import { growingSeason, withGaps } from '../family/series.ts'

const spec = doneValue(parseSpec({ family: 'automatic' }))
const run = { seed: 1, workMax: 1e9 }

test('ARIMA of a long series with gaps costs about what it costs without, and forecasts alike', () => {
  const alone = doneValue(parseSpec({ family: 'automatic', members: ['arima'] }))
  const whole = growingSeason(3_000).map((value) => Math.log(value))
  const timed = (y: Float64Array) => {
    const before = process.cpuUsage()
    const model = doneValue(fitModel({ y, seasons: [24] }, alone, run))
    const { user, system } = process.cpuUsage(before)
    const { point } = doneValue(
      forecastModel(model, { horizon: 24, quantiles: new Float64Array(0) }),
    )
    return { point, seconds: (user + system) / 1e6 }
  }
  const plain = timed(whole)
  const gappy = timed(withGaps(whole, 5))
  // The exact search with gaps takes more than ten times as long as without.
  expect(gappy.seconds).toBeLessThan(1 + 3 * plain.seconds)
  for (const [h, value] of gappy.point.subarray(0, 12).entries()) {
    expect(Math.abs(value - plain.point[h]!)).toBeLessThan(0.2)
  }
})

test('the fit of a long series with gaps ends where filtering it ends', () => {
  const series = { y: withGaps(growingSeason(260), 3), seasons: [12] }
  const model = doneValue(fitModel(series, spec, run))
  expect(encodeModel(doneValue(filterModel(model, series)))).toEqual(encodeModel(model))
})
