import type { Ask, Components, Forecast, Note } from '../../family.ts'
import { normalQuantile } from '../../numeric/normal.ts'
import { boxCoxCeiling, inverseBoxCox, inverseBoxCoxMean } from '../../series/box-cox.ts'
import { fourierColumns, fourierNames } from '../../series/fourier.ts'
import type { ArimaModel } from '../model.ts'
import { explained } from '../regression.ts'

/** A probability that an ask of the transformed forecast has beside its own, for its variance. */
export const spreadProbability = 0.975

/**
 * The forecast of the data from that of the transform: quantiles go back one by one; so does the
 * median, and the mean is the mean of what goes back. `spread` holds the quantiles at
 * `spreadProbability`.
 */
export function undoForecast(
  forecast: Forecast,
  spread: Float64Array,
  lambda: number,
  ask: Ask,
): Forecast {
  const score = normalQuantile(spreadProbability)
  const point = forecast.point.map((value, h) => {
    if (ask.point !== 'mean') return inverseBoxCox(value, lambda)
    const deviation = (spread[h]! - value) / score
    return inverseBoxCoxMean(value, deviation * deviation, lambda)
  })
  const quantiles = forecast.quantiles.map((value) => inverseBoxCox(value, lambda))
  const cut = point.includes(boxCoxCeiling) || quantiles.includes(boxCoxCeiling)
  return { point, quantiles, notes: cut ? [...forecast.notes, overflow] : forecast.notes }
}

const overflow: Note = {
  code: 'overflow',
  detail:
    `Some values leave the range of the Box-Cox transform; ${boxCoxCeiling} stands for them. ` +
    'A shorter horizon or a λ nearer to 1 keeps them inside.',
}

/**
 * Components of the data from those of the transformed series: the Fourier terms apart from other
 * regressors, and what the transform itself adds to their sum, so that the parts still add up.
 */
export function undoComponents(
  { total, parts }: Components,
  model: ArimaModel,
  from: number,
): Components {
  const { boxCox: lambda, fourier } = model.spec
  const named: Record<string, Float64Array> = { ...parts }
  if (fourier.length > 0) {
    const season = fourierPart(model, from, total)
    const { regressors = new Float64Array(total.length) } = parts
    const others = regressors.map((value, t) => value - season[t]!)
    delete named.regressors
    if (model.beta.length > fourierNames(fourier).length) named.regressors = others
    named.fourier = season
  }
  if (typeof lambda !== 'number') return { total, parts: named }
  const back = total.map((value) => (Number.isNaN(value) ? value : inverseBoxCox(value, lambda)))
  named.transform = back.map((value, t) => value - total[t]!)
  return { total: back, parts: named }
}

/** What the Fourier terms explain; missing where the total is. */
function fourierPart(model: ArimaModel, from: number, total: Float64Array): Float64Array {
  const { regressors, fourier } = model.spec
  const beta = Float64Array.from(
    fourierNames(fourier),
    (name) => model.beta[regressors.indexOf(name)]!,
  )
  const sum = explained(beta, fourierColumns(fourier, from, total.length), total.length)
  return sum.map((value, t) => (Number.isNaN(total[t]!) ? Number.NaN : value))
}
