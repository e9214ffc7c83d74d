// A series in, a forecast out: the automatic choice, and what it says of itself.
import { fitModel, forecastModel, levelQuantiles, parseSpec } from '@almanac/engine'
import { resultOf, shown } from './support/outcome.ts'
import { temperatures } from './support/sample-data.ts'

const series = { y: temperatures(), seasons: [7, 365] }
const spec = resultOf(parseSpec({ family: 'automatic' }))
const fit = fitModel(series, spec, { seed: 1, workMax: 1e9 })
const model = resultOf(fit)
if (fit.kind !== 'refused') console.log(fit.report.summary)

const week = resultOf(forecastModel(model, { horizon: 7, quantiles: levelQuantiles([80]) }))
console.log('the next week:', shown(week.point))
for (const { detail } of week.notes) console.log(detail)
