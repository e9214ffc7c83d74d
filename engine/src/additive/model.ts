import type { Design, Rows } from './design.ts'
import { rowsOf } from './design.ts'
import type { AdditiveSpec } from './spec.ts'
import { type Trend, trendAt } from './trend.ts'

/** A fitted additive regression and how far its series has come. Models are immutable. */
export type AdditiveModel = {
  readonly family: 'additive'
  readonly spec: AdditiveSpec
  readonly design: Design
  /** The largest |y - floor| of the fit: what one is in scaled units. */
  readonly scale: number
  /** Time of the first observation of the fit, in days or steps; scaled time 0. */
  readonly origin: number
  /** From there to its last observation; scaled time 1. */
  readonly span: number
  readonly trend: Trend
  /** Coefficients of the design's columns; those that multiply have no unit. */
  readonly betas: Float64Array
  /** Standard deviation of the noise, scaled. */
  readonly sigma: number
  /** Steps of the series so far; the next one has this number. */
  readonly length: number
  readonly observations: number
  readonly missing: number
}

/** Fits or forecasts of some steps, on the scale of the data. */
export type Fitted = {
  /** Scaled times. */
  readonly times: Float64Array
  readonly trend: Float64Array
  /** Effect of each part of the design, in the order of its parts. */
  readonly effects: readonly Float64Array[]
  /** trend · factor + added is the sum of all. */
  readonly factor: Float64Array
  readonly added: Float64Array
}

/**
 * The parts of the steps from number `from` on. `x` has the columns of the design's regressors,
 * whose first value is that of number `from`.
 */
export function fittedAt(
  model: AdditiveModel,
  from: number,
  count: number,
  x: readonly Float64Array[],
): Fitted {
  const { design, betas, scale } = model
  const floor = floorOf(model.spec)
  const times = new Float64Array(count)
  const trend = new Float64Array(count)
  const factor = new Float64Array(count)
  const added = new Float64Array(count)
  const effects = design.parts.map(() => new Float64Array(count))
  for (let start = 0; start < count; start += chunkRows) {
    const size = Math.min(chunkRows, count - start)
    const rows = rowsOf(design, from + start, size, x, from)
    const { features } = rows
    const scaled = scaledTimes(model, rows)
    const levels = trendAt(model.trend, scaled)
    for (let i = 0; i < size; i++) {
      const at = start + i
      times[at] = scaled[i]!
      trend[at] = floor + scale * levels[i]!
      let multiplied = 0
      for (const [p, part] of design.parts.entries()) {
        let sum = 0
        for (let j = part.from; j < part.to; j++)
          sum += features[i * design.columns + j]! * betas[j]!
        const multiplies = design.multiplicative[part.from] === 1
        if (multiplies) multiplied += sum
        const effect = scale * (multiplies ? sum * levels[i]! : sum)
        effects[p]![at] = effect
        if (!multiplies) added[at]! += effect
      }
      factor[at] = 1 + multiplied
    }
  }
  return { times, trend, effects, factor, added }
}

/** Scaled times of some rows. */
export function scaledTimes(
  { origin, span }: Pick<AdditiveModel, 'origin' | 'span'>,
  { times }: Rows,
): Float64Array {
  return times.map((time) => (time - origin) / span)
}

/** What a logistic trend grows from; other trends have none. */
export function floorOf(spec: AdditiveSpec): number {
  return spec.growth === 'logistic' ? (spec.floor ?? 0) : 0
}

/** The capacity of a logistic trend above its floor, scaled; values can be tiny beside it. */
export function capacityOf(spec: AdditiveSpec, scale: number): number {
  if (spec.growth !== 'logistic') return 0
  return Math.min(1e100, (spec.capacity! - floorOf(spec)) / scale)
}

/** Rows that are made at once: their features stay in the cache of a core. */
export const chunkRows = 512
