import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { AutomaticModel } from '../../src/automatic/model.ts'
import { type Column, decodeContainer, encodeContainer } from '../../src/codec/container.ts'
import { decodeModel, encodeModel, forecastModel, modelSizeBytes } from '../../src/index.ts'
import { sealed } from '../codec/seal.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { readGolden } from '../golden.ts'
import { makeRandom } from '../random.ts'

/**
 * Format 1 as it was first written, with three members inside and a repair. It must be readable for
 * ever.
 */
const golden = readGolden('automatic-1.bin')
const ask = { horizon: 14, quantiles: Float64Array.of(0.1, 0.9) }
const model = doneValue(decodeModel(golden)) as AutomaticModel

describe('a stored combination', () => {
  test('of format 1 is read, forecasts what it did, and is written as it was', () => {
    const names = model.members.map(({ name }) => name)
    expect(names).toEqual(['theta', 'ces', 'seasonal-naive'])
    expect(model).toMatchObject({ rung: 'asked', seasons: [12], skipped: 0 })
    const url = new URL('../golden/automatic-1.json', import.meta.url)
    const expected = JSON.parse(readFileSync(fileURLToPath(url), 'utf8')) as {
      point: number[]
      bounds: number[]
    }
    const { point, quantiles } = doneValue(forecastModel(model, ask))
    for (const [h, value] of expected.point.entries()) expect(point[h]).toBeCloseTo(value, 8)
    for (const [at, value] of expected.bounds.entries()) expect(quantiles[at]).toBeCloseTo(value, 8)
    expect(Buffer.from(encodeModel(model)).equals(golden)).toBe(true)
  })

  test('is small, and says what it takes in memory', () => {
    expect(golden.length).toBeLessThan(4_000)
    expect(modelSizeBytes(model)).toBeGreaterThan(golden.length / 2)
    expect(modelSizeBytes(model)).toBeLessThan(golden.length + 20_000)
  })

  test('with any byte changed under a right checksum is a model that forecasts, or refused', () => {
    const random = makeRandom(3)
    for (let at = 0; at < golden.length; at++) {
      const hostile = Uint8Array.from(golden)
      hostile[at] = random.integer(0, 255)
      const decoded = decodeModel(sealed(hostile))
      if (decoded.kind === 'refused') {
        expect(decoded.reason.code).toBe('bad-format')
        continue
      }
      expect(encodeModel(decoded.value), `byte ${at}`).toEqual(sealed(hostile))
      const forecast = forecastModel(decoded.value, ask)
      if (forecast.kind === 'refused') expect(forecast.reason.code).toBe('not-finite')
      else expect(forecast.value.quantiles.every(Number.isFinite)).toBe(true)
    }
  })

  test.each<[string, string, Column]>([
    ['a spec of another family', 'spec', '{"family":"arima"}'],
    ['a rung that there is none of', 'rung', 'best'],
    ['fewer names than members', 'members', 'theta,ces'],
    ['a name twice', 'members', 'theta,ces,theta'],
    ['a name that nobody has', 'members', 'theta,ces,oracle'],
    ['a weight of nothing', 'weights', Float64Array.of(0, 0.5, 0.5)],
    ['a negative weight', 'weights', Float64Array.of(-1, 1, 1)],
    ['too few weights', 'weights', Float64Array.of(1)],
    ['seasons that do not ascend', 'seasons', Int32Array.of(12, 7)],
    ['negative counts', 'counts', Int32Array.of(-1, 0, 0)],
    ['too few counts', 'counts', Int32Array.of(0, 60)],
    ['a repair before the beginning', 'places', Int32Array.of(-1)],
    ['more repairs than values', 'places', Int32Array.of(30, 31)],
    ['a substitute that is no number', 'substitutes', Float64Array.of(Number.NaN)],
    ['an original that is missing', 'originals', new Float64Array(0)],
    ['a scale of zero', 'calibration', Float64Array.of(0, 0, 5, 1, 0, 0)],
    ['a share above one', 'calibration', Float64Array.of(1, 0, 5, 1, 2, 0)],
    ['no degrees of freedom', 'calibration', Float64Array.of(1, 0, 0, 1, 0, 0)],
    ['a member that is no model', 'member-1', Uint8Array.of(1, 2, 3)],
    ['a member that is text', 'member-1', 'theta'],
    ['itself inside itself', 'member-1', Uint8Array.from(golden)],
    ['an array beyond those known', 'more', ''],
  ])('with %s is refused under a right checksum', (_, name, column) => {
    const container = doneValue(decodeContainer(golden))
    const columns = new Map([...container.columns, [name, column]])
    const refusal = refusalOf(decodeModel(encodeContainer({ ...container, columns })))
    expect(refusal.code).toBe('bad-format')
  })
})
