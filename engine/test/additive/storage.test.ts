import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { AdditiveModel } from '../../src/additive/model.ts'
import { type Column, decodeContainer, encodeContainer } from '../../src/codec/container.ts'
import { decodeModel, encodeModel, forecastModel, modelSizeBytes } from '../../src/index.ts'
import { sealed } from '../codec/seal.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { readGolden } from '../golden.ts'
import { makeRandom } from '../random.ts'

/**
 * Format 1 as it was first written: days in Berlin, a multiplicative week, a season of its own, a
 * holiday with a window, a regressor, gaps and a missing end. It must be readable for ever.
 */
const golden = readGolden('additive-1.bin')
const ask = {
  horizon: 12,
  quantiles: Float64Array.of(0.1, 0.9),
  future: { price: Float64Array.from({ length: 12 }, (_, h) => 18 + h / 3) },
}
const run = { seed: 3, workMax: 1e10 }
const model = doneValue(decodeModel(golden)) as AdditiveModel

describe('a stored additive regression', () => {
  test('of format 1 is read, forecasts what it did, and is written as it was', () => {
    expect(model).toMatchObject({ length: 700, observations: 633, missing: 67 })
    expect(model.design.parts.map(({ name }) => name)).toEqual(['weekly', 'pay', 'fair', 'price'])
    expect(model.design.calendar?.step.zone?.name).toBe('Europe/Berlin')
    const url = new URL('../golden/additive-1.json', import.meta.url)
    const expected = JSON.parse(readFileSync(fileURLToPath(url), 'utf8')) as {
      point: number[]
      bounds: number[]
    }
    const { point, quantiles } = doneValue(forecastModel(model, ask, run))
    for (const [h, value] of expected.point.entries()) expect(point[h]).toBeCloseTo(value, 9)
    for (const [at, value] of expected.bounds.entries()) expect(quantiles[at]).toBeCloseTo(value, 9)
    expect(Buffer.from(encodeModel(model)).equals(golden)).toBe(true)
  })

  test('is small, and of the size in memory that was said', () => {
    expect(golden.length).toBeLessThan(3_000)
    expect(modelSizeBytes(model)).toBeGreaterThan(golden.length / 2)
    expect(modelSizeBytes(model)).toBeLessThan(golden.length + 6_000)
  })

  test('with any byte changed under a right checksum is a model that forecasts, or refused', () => {
    const random = makeRandom(3)
    for (let at = 0; at < golden.length; at++) {
      for (const value of [0x7f, random.integer(0, 255)]) {
        const hostile = Uint8Array.from(golden)
        hostile[at] = value
        const decoded = decodeModel(sealed(hostile))
        if (decoded.kind === 'refused') {
          expect(decoded.reason.code).toBe('bad-format')
          continue
        }
        expect(encodeModel(decoded.value), `byte ${at}`).toEqual(sealed(hostile))
        const forecast = forecastModel(
          decoded.value,
          { ...ask, quantiles: new Float64Array(0) },
          run,
        )
        if (forecast.kind === 'refused') {
          expect(forecast.reason.code).toMatch(/^(not-finite|missing-regressor)$/)
        } else {
          expect(forecast.value.point.every(Number.isFinite)).toBe(true)
        }
      }
    }
  })

  const settled = (change: (value: Record<string, unknown>) => void): string => {
    const { columns } = doneValue(decodeContainer(golden))
    const value = JSON.parse(String(columns.get('settled'))) as Record<string, unknown>
    change(value)
    return JSON.stringify(value)
  }

  test.each<[string, string, Column]>([
    ['a spec of another family', 'spec', '{"family":"arima"}'],
    ['a spec with spaces', 'spec', '{ "family": "additive" }'],
    ['what is no JSON', 'settled', '{'],
    ['seasons of days without a calendar', 'settled', settled((value) => (value.calendar = null))],
    ['a calendar of nothing', 'settled', settled((value) => (value.calendar = {}))],
    ['regressors that are no list', 'settled', settled((value) => (value.regressors = 3))],
    ['seasons of nothing', 'settled', settled((value) => (value.seasons = [null]))],
    ['fewer seasons than coefficients', 'settled', settled((value) => (value.seasons = []))],
    ['a zone that goes back', 'zone-instants', Float64Array.of(1, 0, 2, 3, 4, 5, 6)],
    ['a zone without offsets', 'zone-offsets', new Float64Array(0)],
    ['a scale of zero', 'scalars', Float64Array.of(0, 0, 1, 0, 0, 1)],
    ['negative noise', 'scalars', Float64Array.of(1, 0, 1, 0, 0, -1)],
    ['an endless rate', 'scalars', Float64Array.of(1, 0, 1, Number.POSITIVE_INFINITY, 0, 1)],
    ['too few scalars', 'scalars', Float64Array.of(1, 0, 1)],
    ['negative counts', 'counts', Int32Array.of(700, -1, 0)],
    ['changepoints that do not ascend', 'changepoints', new Float64Array(10).fill(0.5)],
    ['more changepoints than changes', 'changepoints', Float64Array.of(0.1, 0.2)],
    ['coefficients that are not numbers', 'betas', new Float64Array(13).fill(Number.NaN)],
    ['an array beyond those known', 'more', ''],
  ])('with %s is refused under a right checksum', (_, name, column) => {
    const container = doneValue(decodeContainer(golden))
    const columns = new Map([...container.columns, [name, column]])
    const refusal = refusalOf(decodeModel(encodeContainer({ ...container, columns })))
    expect(refusal.code).toBe('bad-format')
  })
})
