import { expect, test } from 'vitest'
import {
  encodeModel,
  filterModel,
  fitModel,
  forecastModel,
  levelQuantiles,
  parseSpec,
} from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'
import { growingSeason, withGaps } from '../family/series.ts'

const spec = doneValue(parseSpec({ family: 'automatic' }))
const run = { seed: 1, workMax: 1e9 }

test('a long series with gaps costs about what it costs without, and keeps all its members', () => {
  const n = 2_400
  const whole = growingSeason(n).map((value) => Math.log(value))
  const gappy = withGaps(whole, 5)
  const cpu = (y: Float64Array) => {
    const before = process.cpuUsage()
    const fitted = fitModel({ y, seasons: [12] }, spec, run)
    const { user, system } = process.cpuUsage(before)
    if (fitted.kind === 'refused') throw new Error(fitted.reason.detail)
    return { fitted, seconds: (user + system) / 1e6 }
  }
  const plain = cpu(whole)
  const { fitted, seconds } = cpu(gappy)
  const names = fitted.report.candidates?.filter(({ weight }) => weight !== undefined)
  expect(names?.map((candidate) => (candidate as { name: string }).name)).toContain('arima')
  // The exact search with gaps costs more than ten times this.
  expect(seconds).toBeLessThan(2 + 4 * plain.seconds)
  const { point } = doneValue(
    forecastModel(fitted.value, { horizon: 12, quantiles: levelQuantiles([80]) }),
  )
  const without = doneValue(
    forecastModel(plain.fitted.value, { horizon: 12, quantiles: levelQuantiles([80]) }),
  ).point
  for (const [h, value] of point.entries()) expect(Math.abs(value - without[h]!)).toBeLessThan(0.1)
})

test('the fit of a long series with gaps ends where filtering it ends', () => {
  const series = { y: withGaps(growingSeason(260), 3), seasons: [12] }
  const model = doneValue(fitModel(series, spec, run))
  expect(encodeModel(doneValue(filterModel(model, series)))).toEqual(encodeModel(model))
})
