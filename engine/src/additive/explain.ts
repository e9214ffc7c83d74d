import type { Components, Explained, Outcome, Series } from '../family.ts'
import { done, refused } from '../outcome.ts'
import { fittedAhead, totalOf } from './forecast.ts'
import { type AdditiveModel, type Fitted, fittedAt } from './model.ts'
import { firstStep } from './moves.ts'

/**
 * The trend, each season, each holiday, each regressor; what multiplies the trend is shown as what
 * it adds. A fit leans on no earlier value, so that there is one at every step.
 */
export function explainAdditive(model: AdditiveModel, what: Explained): Outcome<Components> {
  const fitted = 'ask' in what ? fittedAhead(model, what.ask) : fittedBehind(model, what.series)
  if (fitted.kind === 'refused') return fitted
  const parts: [string, Float64Array][] = [['trend', fitted.value.trend]]
  for (const [i, { name }] of model.design.parts.entries()) {
    parts.push([name, fitted.value.effects[i]!])
  }
  return done({ total: totalOf(fitted.value), parts: Object.fromEntries(parts) })
}

function fittedBehind(model: AdditiveModel, series: Series): Outcome<Fitted> {
  const first = firstStep(model, series)
  if (first.kind === 'refused') return first
  const columns: Float64Array[] = []
  for (const { name } of model.design.regressors) {
    const column = series.x !== undefined && Object.hasOwn(series.x, name) && series.x[name]
    if (!column) {
      const detail = `The series has no regressor ${JSON.stringify(name)}.`
      return refused({ code: 'missing-regressor', detail, field: `/x/${name}` })
    }
    columns.push(column)
  }
  return done(fittedAt(model, first.value, series.y.length, columns))
}
