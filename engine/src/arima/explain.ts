import { futureColumns } from '../check-input.ts'
import type { Components, Explained, Outcome } from '../family.ts'
import { done, refused } from '../outcome.ts'
import { carried } from '../series/difference.ts'
import { checkForOrders } from './check.ts'
import { integratedValues } from './forecast.ts'
import { makeFilter, stepFilter } from './kalman.ts'
import { type ArimaModel, unexplained } from './model.ts'
import { operatorOf } from './orders.ts'
import { explained, explainedBy } from './regression.ts'

/**
 * What the regressors explain, what the differencing carries over from the past, the constant, and
 * the dependence of the shocks. A one-step fit is missing wherever a value that it leans on is.
 */
export function explainArima(model: ArimaModel, what: Explained): Outcome<Components> {
  return 'ask' in what ? explainForecast(model, what.ask) : explainFit(model, what.series)
}

function explainForecast(
  model: ArimaModel,
  ask: Extract<Explained, { ask: unknown }>['ask'],
): Outcome<Components> {
  const { horizon } = ask
  const found = futureColumns(model.spec.regressors, ask)
  if ('refusal' in found) return refused(found.refusal)
  const operator = operatorOf(model.orders)
  const from = operator.depth + model.pending
  const all = integratedValues(model, operator, model.pending + horizon)
  const rest = all.slice(from)
  const past = rest.map((_, h) => carried(operator, all, from + h))
  const constant = new Float64Array(horizon).fill(model.scale * model.mean)
  const dependence = rest.map((value, h) => value - past[h]! - constant[h]!)
  const parts = { past, constant, dependence }
  if (model.beta.length === 0) return done({ total: rest, parts })
  const regressors = explained(model.beta, found.columns, horizon)
  const total = rest.map((value, h) => value + regressors[h]!)
  return done({ total, parts: { ...parts, regressors } })
}

function explainFit(
  model: ArimaModel,
  series: Extract<Explained, { series: unknown }>['series'],
): Outcome<Components> {
  const refusal = checkForOrders(series, model.spec, model.orders)
  if (refusal !== undefined) return refused(refusal)
  const operator = operatorOf(model.orders)
  const { depth } = operator
  const y = unexplained(model, series)
  const filter = makeFilter(model.arma)
  const total = new Float64Array(y.length).fill(Number.NaN)
  const past = total.slice()
  const constant = total.slice()
  const dependence = total.slice()
  const regressors = total.slice()
  const taken = explainedBy(model.spec.regressors, model.beta, series)
  for (let t = depth; t < y.length; t++) {
    const base = carried(operator, y, t)
    stepFilter(filter, (y[t]! - base) / model.scale - model.mean)
    if (Number.isNaN(base)) continue
    past[t] = base
    constant[t] = model.scale * model.mean
    dependence[t] = model.scale * filter.expected
    regressors[t] = taken[t]!
    total[t] = base + constant[t]! + dependence[t]! + taken[t]!
  }
  const parts = { past, constant, dependence }
  return done({ total, parts: model.beta.length === 0 ? parts : { ...parts, regressors } })
}
