// Observations as they come: out of order, some twice, some not at all. A model takes gaps as they
// are; filled series are for charts and for other tools.
import {
  cleanObservations,
  fillSeasonally,
  fitModel,
  fixedGrid,
  forecastModel,
  levelQuantiles,
  parseSpec,
} from '@almanac/engine'
import { resultOf, shown } from './support/outcome.ts'
import { temperatures } from './support/sample-data.ts'

const day = 86_400_000
const from = Date.UTC(1981, 0, 1)
const records = [...temperatures().subarray(0, 730)]
  .map((value, at) => ({ instant: from + at * day, value }))
  .filter((_, at) => at % 50 < 45)
records.push({ instant: from + 9 * day, value: 12 }, { instant: from + 3 * day, value: 15 })

const instants = Float64Array.from(records, ({ instant }) => instant)
const values = Float64Array.from(records, ({ value }) => value)
const grid = resultOf(fixedGrid(instants, day))
const { y, cleaning } = resultOf(cleanObservations(instants, values, 'mean', grid))
console.log(`${cleaning.duplicates} duplicates, ${cleaning.inserted} days inserted as missing`)

const filled = fillSeasonally(y, [365])
console.log(`days 45 to 49: ${shown(y.subarray(45, 50))} -> ${shown(filled.y.subarray(45, 50))}`)

const spec = resultOf(parseSpec({ family: 'theta' }))
const model = resultOf(fitModel({ y }, spec, { seed: 1, workMax: 1e9 }))
const ask = { horizon: 3, quantiles: levelQuantiles([]) }
console.log('forecast:', shown(resultOf(forecastModel(model, ask)).point))
