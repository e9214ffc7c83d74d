// Many series, on threads of Node.js: the outcomes come in the order of the batch, and one bad
// series sinks no other.
import { forecastModel, levelQuantiles } from '@almanac/engine'
import { fitManyInWorkers } from '@almanac/engine/workers'
import { shown } from './support/outcome.ts'
import { passengers } from './support/sample-data.ts'

function* batch() {
  const y = passengers()
  for (const share of [1, 0.5, 0.1]) {
    yield { key: `line-${share}`, y: y.map((value) => share * value), seasons: [12] }
  }
  yield { key: 'closed', y: new Float64Array(12).fill(Number.NaN), seasons: [12] }
}

const run = { seed: 1, workMax: 1e9 }
for await (const fit of fitManyInWorkers(batch(), { family: 'theta' }, run, { workers: 2 })) {
  if (fit.kind === 'refused') {
    console.log(`refused: ${fit.reason.detail}`)
    continue
  }
  const forecast = forecastModel(fit.value, { horizon: 3, quantiles: levelQuantiles([]) })
  if (forecast.kind !== 'refused') console.log(shown(forecast.value.point))
}
