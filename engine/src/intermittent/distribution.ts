import { normalQuantile } from '../numeric/normal.ts'
import { type DemandModel, probabilityOf } from './model.ts'
import type { DemandSpec } from './spec.ts'

/**
 * The quantile function of the demand in one step: none, or one whose size is 1 + a negative
 * binomial number for counts that vary more than Poisson's, else log-normal with the same mean and
 * variance (a whole number for counts). Probabilities in (0, 1).
 */
export function demandQuantiles<Spec extends DemandSpec>(
  model: DemandModel<Spec>,
): (probability: number) => number {
  const demanded = probabilityOf(model)
  if (!(demanded > 0) || !(model.size > 0)) return () => 0
  const sizes = sizeQuantiles(model)
  return (probability) => {
    const beyond = probability - (1 - demanded)
    return beyond <= 0 ? 0 : sizes(Math.min(belowOne, beyond / demanded))
  }
}

function sizeQuantiles<Spec extends DemandSpec>({
  size,
  variation,
  counts,
}: DemandModel<Spec>): (probability: number) => number {
  const table = counts ? negativeBinomial(size - 1, variation * size * size) : undefined
  if (table !== undefined) return (probability) => 1 + rankIn(table, probability)
  const spread = Math.sqrt(Math.log1p(variation))
  const centre = (-spread * spread) / 2
  return (probability) => {
    const value = size * Math.exp(centre + spread * normalQuantile(probability))
    const within = Math.min(value, Number.MAX_VALUE)
    return counts ? Math.max(1, Math.round(within)) : within
  }
}

/**
 * The distribution function at 0, 1, 2, … of the negative binomial distribution with a mean and a
 * variance above it; undefined where it does not exist or its table would be long.
 */
function negativeBinomial(mean: number, variance: number): Float64Array | undefined {
  const length = Math.ceil(mean + 40 * Math.sqrt(variance)) + 1
  if (!(mean > 0.01) || !(variance > mean * 1.000_001) || length > tableMax) return undefined
  const shape = (mean * mean) / (variance - mean)
  const growth = mean / (shape + mean)
  let mass = Math.exp(-shape * Math.log1p(mean / shape))
  if (!(mass > 0)) return undefined
  const table = new Float64Array(length)
  let sum = 0
  for (let k = 0; k < length; k++) {
    sum += mass
    table[k] = sum
    mass *= (growth * (k + shape)) / (k + 1)
  }
  return table
}

const tableMax = 8_192
const belowOne = 1 - Number.EPSILON / 2

/** The first index at which a table of a distribution function reaches a probability. */
function rankIn(table: Float64Array, probability: number): number {
  let low = 0
  let high = table.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (table[middle]! >= probability) high = middle
    else low = middle + 1
  }
  return low
}
