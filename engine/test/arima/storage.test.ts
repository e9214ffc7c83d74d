import { describe, expect, test } from 'vitest'
import { arima } from '../../src/arima/family.ts'
import { arimaDefaults } from '../../src/arima/spec.ts'
import { type Column, decodeContainer, encodeContainer } from '../../src/codec/container.ts'
import { decodeModel, encodeModel, forecastModel, modelSizeBytes } from '../../src/index.ts'
import { sealed } from '../codec/seal.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { readGolden } from '../golden.ts'
import { randomModel, specOf } from './models.ts'

/**
 * Format 1 as it was written: ARIMA(2,1,1) at lag 4 with a constant, a gap and a missing end, and
 * the default model of the sample data. What they forecast was written down with them.
 */
const gaps = readGolden('arima-1-gaps.bin')
const core = readGolden('arima-1-core.bin')
/** The former, as it is written now. */
const golden = Buffer.from(encodeModel(doneValue(arima.decode(gaps))))

describe('a stored model', () => {
  test('of format 1 is read, and forecasts what it did; written anew it is of format 2', () => {
    const model = doneValue(arima.decode(gaps))
    expect(model.spec).toEqual(specOf({ p: 2, d: 1, q: 1, differenceLag: 4, constant: true }))
    expect(model).toMatchObject({ observations: 15, missing: 2, pending: 1, scale: 8 })
    expect([...model.levels]).toEqual([8, 9, 7, 9, 3])
    const again = doneValue(arima.decode(golden))
    expect(again).toEqual(model)
    const ask = { horizon: 3, quantiles: Float64Array.of(0.1, 0.9) }
    const point = [3.3743519833155093, 8.00440027486015, 3.884643919823495]
    const low = [-21.404509474433198, -22.546470213141845, -30.592338572075697]
    for (const read of [model, again]) {
      const forecast = doneValue(forecastModel(read, ask))
      point.forEach((value, h) => {
        expect(Math.abs(forecast.point[h]! / value - 1)).toBeLessThan(1e-12)
        expect(Math.abs(forecast.quantiles[2 * h]! / low[h]! - 1)).toBeLessThan(1e-12)
      })
    }
  })

  test('of format 1 keeps the default model of that time, and takes updates', () => {
    const model = doneValue(arima.decode(core))
    expect(model.spec).toEqual(arimaDefaults)
    const ask = { horizon: 400, quantiles: Float64Array.of(0.1, 0.9) }
    const { point, quantiles } = doneValue(forecastModel(model, ask))
    const written = [
      [0, 14.865864276652708, 10.492877521949627],
      [30, 16.100795212772958, 11.062197716449399],
      [399, 14.800355500891891, 7.674701181303292],
    ] as const
    for (const [h, mean, low] of written) {
      expect(Math.abs(point[h]! / mean - 1)).toBeLessThan(1e-12)
      expect(Math.abs(quantiles[2 * h]! / low - 1)).toBeLessThan(1e-12)
    }
    const next = doneValue(arima.update(model, { y: Float64Array.of(14) }))
    expect(next.observations).toBe(model.observations + 1)
    expect(encodeModel(next).length).toBeLessThan(6_000)
  })

  test('of format 2 is read, with a season, a regressor and a state that has not settled', () => {
    const model = doneValue(arima.decode(readGolden('arima-2-season.bin')))
    expect(model.spec).toMatchObject({ D: 1, Q: 1, seasonLength: 4, regressors: ['price'] })
    expect(model.covariance.length).toBeGreaterThan(0)
    const future = { price: Float64Array.of(1, 2, 3, 4, 5, 6) }
    const ask = { horizon: 6, quantiles: Float64Array.of(0.1), future }
    const forecast = doneValue(forecastModel(model, ask))
    const point = [
      36.513046951837865, 48.34120309240394, 39.26255505426694, 50.217882753192065,
      49.2197616297612, 60.54512575151009,
    ]
    const low = [
      5.413010455617158, -1.443115623164097, -25.116395223585386, -26.272160968405522,
      -46.158530006882394, -52.614517458281135,
    ]
    point.forEach((value, h) => {
      expect(Math.abs(forecast.point[h]! / value - 1)).toBeLessThan(1e-12)
      expect(Math.abs(forecast.quantiles[h]! / low[h]! - 1)).toBeLessThan(1e-12)
    })
    expect(Buffer.from(encodeModel(model)).equals(readGolden('arima-2-season.bin'))).toBe(true)
  })

  test('comes back with the same forecasts, bit by bit, and of the size that was said', () => {
    for (let seed = 0; seed < 100; seed++) {
      const { model } = randomModel(seed)
      const bytes = encodeModel(model)
      const decoded = doneValue(decodeModel(bytes))
      expect(encodeModel(decoded)).toEqual(bytes)
      const ask = { horizon: 20, quantiles: Float64Array.of(0.25) }
      expect(forecastModel(decoded, ask)).toEqual(forecastModel(model, ask))
      expect(modelSizeBytes(model)).toBeGreaterThan(bytes.length / 2)
      expect(modelSizeBytes(model)).toBeLessThan(bytes.length + 4_000)
    }
  })

  test('with any single bit flipped or any byte missing is refused', () => {
    for (let bit = 0; bit < golden.length * 8; bit++) {
      const damaged = Uint8Array.from(golden)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      expect(decodeModel(damaged).kind, `bit ${bit}`).toBe('refused')
    }
    for (let length = 0; length < golden.length; length++) {
      expect(decodeModel(golden.subarray(0, length)).kind).toBe('refused')
    }
  })

  test('with any byte changed under a right checksum is a model that forecasts, or refused', () => {
    const ask = { horizon: 50, quantiles: Float64Array.of(0.1, 0.9) }
    for (let at = 0; at < golden.length; at++) {
      for (const value of [0x00, 0x01, 0x7f, 0x80, 0xf0, 0xff]) {
        const hostile = Uint8Array.from(golden)
        hostile[at] = value
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
    }
  })

  test.each<[string, string, Column]>([
    ['a huge order', 'orders', Int32Array.of(2 ** 31 - 1, 1, 1, 4, 1, 0, 0, 0, 1)],
    ['a negative order', 'orders', Int32Array.of(-1, 1, 1, 4, 1, 0, 0, 0, 1)],
    ['a lag that its levels do not cover', 'orders', Int32Array.of(2, 1, 1, 5, 1, 0, 0, 0, 1)],
    ['orders that are not those of its spec', 'orders', Int32Array.of(2, 1, 1, 4, 0, 0, 0, 0, 1)],
    ['a season of nothing', 'orders', Int32Array.of(2, 1, 1, 4, 1, 0, 0, 0, 0)],
    ['a spec that is no spec', 'spec', '{}'],
    ['coefficients of no regressor', 'beta', Float64Array.of(1)],
    ['a partial autocorrelation of one', 'ar-partials', Float64Array.of(0.5, 1)],
    ['a partial autocorrelation that is no number', 'ma-partials', Float64Array.of(Number.NaN)],
    ['an infinite state', 'state', Float64Array.of(Number.POSITIVE_INFINITY, 0)],
    ['a covariance without symmetry', 'covariance', Float64Array.of(1, 2, 3, 4)],
    ['a level that is missing', 'levels', Float64Array.of(8, 9, Number.NaN, 9, 3)],
    ['a flag beyond 1', 'filled', Uint8Array.of(0, 0, 2, 0, 0)],
    ['a negative variance', 'scalars', Float64Array.of(8, 0, -1)],
    ['a scale of zero', 'scalars', Float64Array.of(0, 0, 1)],
    ['endless missing values', 'counts', Int32Array.of(15, 2 ** 31 - 1, 2 ** 31 - 1)],
    ['text for numbers', 'levels', 'levels'],
    ['an array beyond those known', 'more', ''],
  ])('with %s is refused under a right checksum', (_, name, column) => {
    const container = doneValue(decodeContainer(golden))
    const columns = new Map([...container.columns, [name, column]])
    expect(refusalOf(decodeModel(encodeContainer({ ...container, columns }))).code).toBe(
      'bad-format',
    )
  })

  test('of an unknown family, a newer format or without an array is refused by name', () => {
    const container = doneValue(decodeContainer(golden))
    const write = (change: object) => decodeModel(encodeContainer({ ...container, ...change }))
    expect(refusalOf(write({ family: 'oracle' })).detail).toContain('oracle')
    expect(refusalOf(write({ familyFormat: 3 })).detail).toContain('format 3')
    const columns = new Map(container.columns)
    columns.delete('state')
    expect(refusalOf(write({ columns })).detail).toContain('state is missing')
  })
})
