import { describe, expect, test } from 'vitest'
import { decodeModel, encodeModel, fitModel, forecastModel, parseSpec } from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'
import { longCases } from './long-series.ts'

const points = 100_000
/** Ten looks at each point: what is bounded is what a fit does whatever it may spend. */
const run = { seed: 1, workMax: 10 * points }

describe('a hundred thousand points', () => {
  test.each(longCases(points))('$name: an outcome in bounded time, a small model', (given) => {
    const spec = doneValue(parseSpec(given.spec))
    const { user, system } = process.threadCpuUsage()
    const model = doneValue(fitModel(given.series, spec, run))
    const worked = process.threadCpuUsage()
    const tookMs = (worked.user + worked.system - user - system) / 1_000
    expect(tookMs, `${tookMs} ms`).toBeLessThan(4_000)
    const bytes = encodeModel(model)
    expect(bytes.length).toBeLessThan(100_000)
    const ask = { horizon: 30, quantiles: Float64Array.of(0.1, 0.9) }
    const forecast = doneValue(forecastModel(doneValue(decodeModel(bytes)), ask, run))
    expect([...forecast.point, ...forecast.quantiles].every(Number.isFinite)).toBe(true)
    expect(forecast).toEqual(doneValue(forecastModel(model, ask, run)))
  })
})
