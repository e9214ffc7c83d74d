import { createHash } from 'node:crypto'
import { encodeModel, fitModel, forecastModel, parseSpec, simulateModel } from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'
import { cases } from '../family/cases.ts'

/** A digest of all bytes of a model, its forecast and its paths, for each case of each family. */
export function digests(): Record<string, string> {
  const run = { seed: 11, workMax: 1e9 }
  const quantiles = Float64Array.of(0.1, 0.5, 0.9)
  const found: Record<string, string> = {}
  for (const [family, examples] of cases) {
    for (const { name, spec, series } of examples) {
      const parsed = doneValue(parseSpec({ family, ...spec }))
      const model = doneValue(fitModel(series, parsed, run))
      const ask = {
        horizon: 12,
        quantiles,
        ...(series.x === undefined ? {} : { future: series.x }),
      }
      const forecast = doneValue(forecastModel(model, ask, run))
      const hash = createHash('sha256')
      hash.update(encodeModel(model))
      for (const values of [
        forecast.point,
        forecast.quantiles,
        doneValue(simulateModel(model, ask, 3, run)),
      ]) {
        hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
      }
      found[`${family}, ${name}`] = hash.digest('hex')
    }
  }
  return found
}
