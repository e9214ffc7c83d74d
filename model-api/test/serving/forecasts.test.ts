import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describedSeries, fitModel, parseSpec } from '@almanac/engine'
import { expect, test } from 'vitest'
import { Forecasts } from '../../src/serving/forecasts.ts'
import type { LoadedVersion } from '../../src/serving/load-version.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function loadedVersion(version: number): LoadedVersion {
  const spec = parseSpec({ family: 'arima', p: 1, d: 0, q: 0, differenceLag: 7, constant: false })
  if (spec.kind === 'refused') throw new Error(spec.reason.detail)
  const y = Array.from({ length: 60 }, (_, t) => version + Math.sin(t * 1.7) + (t % 7))
  const series = describedSeries({ y, start: null, frequency: null })
  const fitted = fitModel(series, spec.value, { seed: 1, workMax: 1e9 })
  if (fitted.kind === 'refused') throw new Error(fitted.reason.detail)
  return { version, model: fitted.value, sizeBytes: 1_000, sha256: 'x', calendar: undefined }
}

const question = (horizon: number) => ({
  ...{ horizon, levels: [80], timestamps: false, load: false },
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
  expect(second.forecast.point).toBe(first.forecast.point)
})
