// New observations move the model on without a search: the parameters stay, the cost is that of the
// new ones alone, and the bytes are those of a model that saw all at once.
import {
  decodeModel,
  encodeModel,
  filterModel,
  fitModel,
  forecastModel,
  levelQuantiles,
  parseSpec,
  updateModel,
} from '@almanac/engine'
import { resultOf, shown } from './support/outcome.ts'
import { passengers } from './support/sample-data.ts'

const y = passengers()
const spec = resultOf(parseSpec({ family: 'ets' }))
const seasons = [12]
const fitted = fitModel({ y: y.subarray(0, 108), seasons }, spec, { seed: 1, workMax: 1e9 })
const stored = encodeModel(resultOf(fitted))

const model = resultOf(decodeModel(stored))
const newer = resultOf(updateModel(model, { y: y.subarray(108), seasons }))
const whole = resultOf(filterModel(model, { y, seasons }))
const same = Buffer.from(encodeModel(newer)).equals(encodeModel(whole))
console.log(`${stored.length} bytes; the same model either way: ${same}`)
const ask = { horizon: 3, quantiles: levelQuantiles([]) }
console.log('forecast before the update:', shown(resultOf(forecastModel(model, ask)).point))
console.log('and after it:', shown(resultOf(forecastModel(newer, ask)).point))
