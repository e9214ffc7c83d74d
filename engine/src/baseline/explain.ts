import type { Components, Explained } from '../family.ts'
import { expectedAt } from './forecast.ts'
import { absorb, type BaselineModel, emptyState, levelAt, slopeOf } from './model.ts'

/** The level that is repeated and, with a drift, what the line adds to it. */
export function explainBaseline(model: BaselineModel, what: Explained): Components {
  const drifts = model.spec.method === 'drift'
  const length = 'ask' in what ? what.ask.horizon : what.series.y.length
  const level = new Float64Array(length).fill(Number.NaN)
  const drift = level.slice()
  const slope = slopeOf(model)
  if ('ask' in what) {
    for (let h = 0; h < length; h++) {
      const expected = expectedAt(model, h)
      level[h] = drifts ? model.levels[0]! : expected
      drift[h] = expected - level[h]!
    }
  } else {
    const { y } = what.series
    const state = emptyState(model.spec, model.seasonLength, 0)
    const seen = new Uint8Array(model.seasonLength)
    for (let t = 0; t < length; t++) {
      const at = t % model.seasonLength
      if (model.spec.method === 'mean') {
        level[t] = model.levels[0]!
      } else if (seen[at] === 1) {
        level[t] = levelAt(state, at)
      }
      if (!Number.isNaN(level[t]!)) drift[t] = slope * (state.ages[at]! + 1)
      if (!Number.isNaN(y[t]!)) seen[at] = 1
      absorb(state, y[t]!)
    }
  }
  const total = level.map((value, t) => value + drift[t]!)
  return { total, parts: drifts ? { level, drift } : { level } }
}
