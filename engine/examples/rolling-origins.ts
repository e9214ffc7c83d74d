// How good would the forecasts have been? Each origin sees only what came before it.
import { backtest } from '@almanac/engine'
import { resultOf } from './support/outcome.ts'
import { passengers } from './support/sample-data.ts'

const series = { y: passengers(), seasons: [12] }
for (const family of ['ets', 'theta', 'baseline']) {
  const plan = { origins: 12, step: 2, horizon: 6, refit: 3 }
  const run = { seed: 1, workMax: 1e9 }
  const { overall, horizons } = resultOf(backtest(series, { family }, plan, run))
  const [first, last] = [horizons[0]!, horizons.at(-1)!]
  const shares = overall.levels.map(
    ({ level, coverage }) => `${Math.round(100 * coverage)}% inside of ${Math.round(level)}%`,
  )
  console.log(
    `${family}: MASE ${overall.mase.toFixed(3)}, mean error ${first.mae.toFixed(1)} one month ahead`,
    `and ${last.mae.toFixed(1)} six ahead; ${shares.join(', ')}`,
  )
}
