/**
 * The λ of Box and Cox by Guerrero (1993): the one for which the spread of blocks of one season is
 * most nearly proportional to the (1 - λ)th power of their level, by the least coefficient of
 * variation of spread/level^(1-λ). Blocks end at the last observation; those with a missing value
 * are left out. Undefined when a value is not positive or fewer than two blocks vary.
 */
export function guerreroLambda(
  y: Float64Array,
  season: number,
  lower: number,
  upper: number,
): number | undefined {
  const length = Math.max(2, season)
  const blocks = Math.floor(y.length / length)
  const levels: number[] = []
  const spreads: number[] = []
  let scale = 0
  for (const value of y) {
    if (value <= 0) return undefined
    if (value > scale) scale = value
  }
  const first = y.length - blocks * length
  for (let block = 0; block < blocks; block++) {
    const from = first + block * length
    const { mean, deviation } = momentsOf(y.subarray(from, from + length), scale)
    if (!(deviation >= 0)) continue
    levels.push(Math.log(mean))
    spreads.push(deviation)
  }
  if (spreads.filter((deviation) => deviation > 0).length < 2) return undefined
  return minimiseScalar((lambda) => variation(levels, spreads, lambda), lower, upper)
}

/** The mean and standard deviation of values in units of `scale`; NaN with a missing one. */
function momentsOf(values: Float64Array, scale: number): { mean: number; deviation: number } {
  let mean = 0
  for (const value of values) mean += value / scale / values.length
  let squares = 0
  for (const value of values) squares += (value / scale - mean) * (value / scale - mean)
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) }
}

/** The coefficient of variation of spread/level^(1-λ). */
function variation(logLevels: readonly number[], spreads: readonly number[], lambda: number) {
  const ratios = spreads.map((spread, i) => spread * Math.exp((lambda - 1) * logLevels[i]!))
  let mean = 0
  for (const ratio of ratios) mean += ratio / ratios.length
  let squares = 0
  for (const ratio of ratios) squares += (ratio / mean - 1) * (ratio / mean - 1)
  return Math.sqrt(squares / (ratios.length - 1))
}

const gridSteps = 30
const goldenSteps = 40
const golden = (Math.sqrt(5) - 1) / 2

/** The minimum over an interval: the best of a grid, then golden sections around it. */
function minimiseScalar(f: (x: number) => number, lower: number, upper: number): number {
  const step = (upper - lower) / gridSteps
  let best = lower
  let least = f(lower)
  for (let i = 1; i <= gridSteps; i++) {
    const value = f(lower + i * step)
    if (value < least) {
      least = value
      best = lower + i * step
    }
  }
  let left = Math.max(lower, best - step)
  let right = Math.min(upper, best + step)
  for (let i = 0; i < goldenSteps; i++) {
    const a = right - golden * (right - left)
    const b = left + golden * (right - left)
    if (f(a) <= f(b)) right = b
    else left = a
  }
  const found = (left + right) / 2
  if (f(lower) <= f(found)) return lower
  return f(upper) < f(found) ? upper : found
}
