import { describe, expect, test } from 'vitest'
import { type Column, decodeContainer, encodeContainer } from '../../src/codec/container.ts'
import { etsAt } from '../../src/ets/fit.ts'
import { decodeModel, encodeModel, forecastModel } from '../../src/index.ts'
import { sealed } from '../codec/seal.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { readGolden } from '../golden.ts'
import { etsSpecOf, formOf, makeSeries } from './forms.ts'

/**
 * Format 1 as it was first written: ETS(M,Ad,M) with a season of 4, a gap and a missing end. It
 * must be readable for ever; what it forecasts was written down with it.
 */
const golden = readGolden('ets-1.bin')

function goldenModel() {
  const y = makeSeries(77, 23, 4).map((value) => Math.round(value))
  y[9] = Number.NaN
  y[22] = Number.NaN
  const smoothing = Float64Array.of(0.5, 0.125, 0.25, 0.875)
  const states = Float64Array.of(100, 2, 1, 1.25, 1, 0.75)
  return etsAt({ y, seasons: [4] }, etsSpecOf('MAdM'), formOf('MAdM', 4), smoothing, states).model
}

describe('a stored model', () => {
  test('of format 1 is read, forecasts what it did, and is written as it was', () => {
    const model = doneValue(decodeModel(golden))
    expect(model).toMatchObject({ family: 'ets', observations: 21, missing: 2, pending: 1 })
    const ask = { horizon: 3, quantiles: Float64Array.of(0.1, 0.9) }
    const forecast = doneValue(forecastModel(model, ask))
    const point: number[] = [77.39760784528079, 101.18060517387374, 130.25056273830916]
    const low: number[] = [70.65447643242186, 90.89981162090186, 114.98502095295498]
    point.forEach((value, h) => {
      expect(Math.abs(forecast.point[h]! / value - 1)).toBeLessThan(1e-12)
      expect(Math.abs(forecast.quantiles[2 * h]! / low[h]! - 1)).toBeLessThan(1e-12)
    })
    expect(Buffer.from(encodeModel(model)).equals(golden)).toBe(true)
    expect(Buffer.from(encodeModel(goldenModel())).equals(golden)).toBe(true)
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
    ['a form that its spec does not admit', 'form', Int32Array.of(0, 2, 1, 4)],
    ['a season that its states do not cover', 'form', Int32Array.of(1, 2, 2, 5)],
    ['a huge season', 'form', Int32Array.of(1, 2, 2, 2 ** 31 - 1)],
    ['a parameter that is no number', 'smoothing', Float64Array.of(0.5, 0.1, Number.NaN, 0.9)],
    ['a damping above one', 'smoothing', Float64Array.of(0.5, 0.1, 0.1, 1.5)],
    ['a season of zero', 'state', Float64Array.of(1, 1, 1, 0, 1, 1)],
    ['an infinite level', 'state', Float64Array.of(Number.POSITIVE_INFINITY, 1, 1, 1, 1, 1)],
    ['a negative variance', 'scalars', Float64Array.of(8, -1)],
    ['a scale of zero', 'scalars', Float64Array.of(0, 1)],
    ['endless missing values', 'counts', Int32Array.of(15, 2 ** 31 - 1, 2 ** 31 - 1)],
    ['no observations', 'counts', Int32Array.of(0, 2, 1)],
    ['another spec text', 'spec', '{"family":"ets"}'],
    ['text for numbers', 'state', 'state'],
    ['an array beyond those known', 'more', ''],
  ])('with %s is refused under a right checksum', (_, name, column) => {
    const container = doneValue(decodeContainer(golden))
    const columns = new Map([...container.columns, [name, column]])
    expect(refusalOf(decodeModel(encodeContainer({ ...container, columns }))).code).toBe(
      'bad-format',
    )
  })
})
