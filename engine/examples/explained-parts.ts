// What a forecast is made of. The parts add up to the point forecast, or to the one-step fits.
import { explainModel, fitModel, levelQuantiles, parseSpec } from '@almanac/engine'
import { resultOf, shown } from './support/outcome.ts'
import { passengers } from './support/sample-data.ts'

const series = { y: passengers(), seasons: [12] }
const spec = resultOf(parseSpec({ family: 'mstl' }))
const model = resultOf(fitModel(series, spec, { seed: 1, workMax: 1e9 }))

const ask = { horizon: 6, quantiles: levelQuantiles([]) }
const { total, parts } = resultOf(explainModel(model, { ask }))
for (const [name, part] of Object.entries(parts)) console.log(`${name}: ${shown(part)}`)
console.log('add up to:', shown(total))
const past = resultOf(explainModel(model, { series }))
console.log('expected of the last month:', shown([past.total.at(-1)!]))
