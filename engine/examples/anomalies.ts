// Past observations that nobody would have expected.
import { findAnomalies, fitModel, parseSpec } from '@almanac/engine'
import { resultOf } from './support/outcome.ts'
import { passengers } from './support/sample-data.ts'

const y = passengers()
y[50]! *= 1.4
y[90]! *= 0.6
const series = { y, seasons: [12] }
const spec = resultOf(parseSpec({ family: 'ets' }))
const model = resultOf(fitModel(series, spec, { seed: 1, workMax: 1e9 }))
const { found, level } = resultOf(findAnomalies(model, series, { level: 99.9 }))
console.log(`${found.length} observations outside of the bounds of ${level}%:`)
for (const { at, actual, expected, score } of found) {
  const spread = `${score.toFixed(1)} standard deviations`
  console.log(`month ${at}: ${actual.toFixed(0)}, expected ${expected.toFixed(0)}, ${spread}`)
}
