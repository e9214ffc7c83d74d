import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  describedSeries,
  fitModel,
  forecastModel,
  levelQuantiles,
  parseSpec,
} from '@almanac/engine'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Forecasts } from '../../src/serving/forecasts.ts'
import type { LoadedModel } from '../../src/serving/load-version.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const arima = { family: 'arima', p: 1, d: 0, q: 0, differenceLag: 7, constant: false }

function loadedVersion(version: number, given: unknown = arima): LoadedModel {
  const spec = parseSpec(given)
  if (spec.kind === 'refused') throw new Error(spec.reason.detail)
  const y = Array.from({ length: 60 }, (_, t) => version + Math.sin(t * 1.7) + (t % 7))
  const series = describedSeries({ y, start: null, frequency: null })
  const fitted = fitModel(series, spec.value, { seed: 1, workMax: 1e9 })
  if (fitted.kind === 'refused') throw new Error(fitted.reason.detail)
  const more = { sizeBytes: 1_000, sha256: 'x', calendar: undefined, bounds: undefined }
  return { kind: 'one', version, model: fitted.value, ...more }
}

const question = (horizon: number) => ({
  ...{ horizon, levels: [80], timestamps: false, load: false, series: null },
  key: `${horizon}`,
})

test('a version that is unloaded is gone, whatever was asked of it', async () => {
  const forecasts = new Forecasts()
  const models: WeakRef<object>[] = []
  const loadAndAsk = (version: number) => {
    const loaded = loadedVersion(version)
    for (const horizon of [3, 12, 40])
      forecasts.compute({ id: 'd/m', key: `d/m@${version}` }, loaded, question(horizon))
    models.push(new WeakRef(loaded.model))
  }
  for (let version = 1; version <= 5; version++) loadAndAsk(version)
  // A reference that was made or looked at in a turn of the event loop holds until its end.
  await nextTurn()
  collectGarbage()
  await nextTurn()
  expect(models.filter((model) => model.deref() !== undefined)).toEqual([])
})

test('what was prepared is used again while the version is loaded', () => {
  const forecasts = new Forecasts()
  const loaded = loadedVersion(1)
  const of = { id: 'd/m', key: 'd/m@1' }
  const first = forecasts.compute(of, loaded, question(12))
  const second = forecasts.compute(of, loaded, { ...question(12), levels: [95] })
  expect(second.forecast.point.buffer).toBe(first.forecast.point.buffer)
  const shorter = forecasts.compute(of, loaded, question(5))
  expect(shorter.forecast.point.buffer).toBe(first.forecast.point.buffer)
})

test('whatever was asked before, a forecast is the one that the model gives', () => {
  const horizon = fc.integer({ min: 1, max: 60 })
  for (const spec of [arima, { family: 'automatic' }, { family: 'mstl' }]) {
    const loaded = loadedVersion(1, spec)
    fc.assert(
      fc.property(fc.array(horizon, { minLength: 2, maxLength: 6 }), (horizons) => {
        const forecasts = new Forecasts()
        for (const wanted of horizons) {
          const ask = question(wanted)
          const { forecast, pointText } = forecasts.compute({ id: 'a', key: 'a' }, loaded, ask)
          const quantiles = levelQuantiles(ask.levels)
          const plain = forecastModel(loaded.model, { horizon: wanted, quantiles })
          expect(plain).toMatchObject({ kind: 'done', value: forecast })
          expect(`[${pointText}]`).toBe(JSON.stringify([...forecast.point]))
        }
      }),
      { numRuns: 15 },
    )
  }
})
