import type { Components, Explained, Outcome } from '../family.ts'
import { done, refused } from '../outcome.ts'
import { checkEtsSeries } from './check.ts'
import { type EtsModel, makeCursor, step } from './model.ts'
import { momentsOf } from './moments.ts'

/**
 * Level, trend and season of each one-step fit, or of the point forecast. A multiplicative season's
 * part is what it adds: (season - 1) × (level + trend).
 */
export function explainEts(model: EtsModel, what: Explained): Outcome<Components> {
  if ('ask' in what) return done(explainForecast(model, what.ask.horizon))
  const refusal = checkEtsSeries(what.series, { ...model.spec, ...fixed(model) })
  return refusal === undefined ? done(explainFits(model, what.series.y)) : refused(refusal)
}

function fixed({ form }: EtsModel) {
  const { error, trend, damped, season, seasonLength } = form
  return { error, trend, damped: trend === 'N' ? null : damped, season, seasonLength }
}

function explainFits(model: EtsModel, y: Float64Array): Components {
  const parts = makeParts(y.length)
  const cursor = makeCursor({ ...model, state: model.initial })
  for (let t = 0; t < y.length; t++) {
    const level = cursor.level
    step(cursor, y[t]! / model.scale)
    put(parts, t, model.scale, level, cursor.base, cursor.fit)
  }
  return parts
}

function explainForecast(model: EtsModel, horizon: number): Components {
  const { mean } = momentsOf(model, model.pending + horizon)
  const parts = makeParts(horizon)
  const cursor = makeCursor(model)
  const level = model.state[0]!
  for (let h = 0; h < model.pending + horizon; h++) {
    step(cursor, Number.NaN)
    if (h >= model.pending) {
      put(parts, h - model.pending, model.scale, level, cursor.base, mean[h]!)
    }
  }
  return parts
}

type Parts = Components & {
  readonly parts: {
    readonly level: Float64Array
    readonly trend: Float64Array
    readonly season: Float64Array
  }
}

function makeParts(length: number): Parts {
  const make = () => new Float64Array(length)
  return { total: make(), parts: { level: make(), trend: make(), season: make() } }
}

/** What is beyond the level is the trend's, what is beyond both the season's. */
function put(
  { total, parts }: Parts,
  at: number,
  scale: number,
  level: number,
  base: number,
  fit: number,
): void {
  total[at] = scale * fit
  parts.level[at] = scale * level
  parts.trend[at] = scale * (base - level)
  parts.season[at] = scale * (fit - base)
}
