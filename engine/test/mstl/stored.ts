import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import {
  type AnyModel,
  decodeModel,
  encodeModel,
  forecastModel,
  simulateModel,
  updateModel,
} from '../../src/index.ts'
import { sealed } from '../codec/seal.ts'
import { doneValue } from '../expect-done.ts'
import { readGolden } from '../golden.ts'

const run = { seed: 1, workMax: 1e6 }

/** A model as it was once written: it is read, written as it was, and forecasts what it did. */
export function expectGolden(name: string): AnyModel {
  const bytes = readGolden(`${name}.bin`)
  const url = new URL(`../golden/${name}.json`, import.meta.url)
  const written = JSON.parse(readFileSync(fileURLToPath(url), 'utf8')) as {
    readonly horizon: number
    readonly levels: readonly number[]
    readonly point: readonly number[]
    readonly quantiles: readonly number[]
  }
  const model = doneValue(decodeModel(bytes))
  expect(Buffer.from(encodeModel(model)).equals(bytes)).toBe(true)
  const ask = { horizon: written.horizon, quantiles: Float64Array.from(written.levels) }
  const { point, quantiles } = doneValue(forecastModel(model, ask, run))
  expect(point.length).toBe(written.point.length)
  expect(quantiles.length).toBe(written.quantiles.length)
  const near = (a: number, b: number) =>
    expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-8 * Math.abs(b))
  for (const [h, value] of written.point.entries()) near(point[h]!, value)
  for (const [at, value] of written.quantiles.entries()) near(quantiles[at]!, value)
  return model
}

/** Any byte changed under a right checksum: refused, or a model of which everything works. */
export function expectHostileBytesHarmless(golden: Uint8Array): void {
  const ask = { horizon: 40, quantiles: Float64Array.of(0.1, 0.9) }
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
      const forecast = forecastModel(decoded.value, ask, run)
      if (forecast.kind === 'refused') expect(forecast.reason.code).toBe('not-finite')
      else expect(forecast.value.quantiles.every(Number.isFinite)).toBe(true)
      const drawn = simulateModel(decoded.value, ask, 2, run)
      if (drawn.kind !== 'refused') expect(drawn.value.every(Number.isFinite)).toBe(true)
      updateModel(decoded.value, { y: Float64Array.of(3, Number.NaN, 1) })
    }
  }
}
