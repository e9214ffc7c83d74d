import type { Components, Explained, Outcome } from '../family.ts'
import { done, refused } from '../outcome.ts'
import { carried, differencing } from '../series/difference.ts'
import { checkArimaSeries } from './check.ts'
import { integratedValues } from './forecast.ts'
import { makeFilter, stepFilter } from './kalman.ts'
import type { ArimaModel } from './model.ts'

/**
 * What the differencing carries over from the past, the constant, and the dependence of the shocks.
 * A one-step fit is missing wherever a value that it leans on is.
 */
export function explainArima(model: ArimaModel, what: Explained): Outcome<Components> {
  const operator = differencing(model.spec.d, model.spec.differenceLag)
  const { depth } = operator
  const constantOf = (length: number) => new Float64Array(length).fill(model.scale * model.mean)
  if ('ask' in what) {
    const { horizon } = what.ask
    const all = integratedValues(model, operator, model.pending + horizon)
    const total = all.slice(depth + model.pending)
    const past = total.map((_, h) => carried(operator, all, depth + model.pending + h))
    const constant = constantOf(horizon)
    const dependence = total.map((value, h) => value - past[h]! - constant[h]!)
    return done({ total, parts: { past, constant, dependence } })
  }
  const { y } = what.series
  const refusal = checkArimaSeries(what.series, model.spec)
  if (refusal !== undefined) return refused(refusal)
  const filter = makeFilter(model.arma)
  const total = new Float64Array(y.length).fill(Number.NaN)
  const past = total.slice()
  const constant = total.slice()
  const dependence = total.slice()
  for (let t = depth; t < y.length; t++) {
    const base = carried(operator, y, t)
    stepFilter(filter, (y[t]! - base) / model.scale - model.mean)
    if (Number.isNaN(base)) continue
    past[t] = base
    constant[t] = model.scale * model.mean
    dependence[t] = model.scale * filter.expected
    total[t] = base + constant[t]! + dependence[t]!
  }
  return done({ total, parts: { past, constant, dependence } })
}
