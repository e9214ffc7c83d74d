import { normalQuantile } from '../numeric/normal.ts'
import { normalAt, uniformAt } from '../numeric/random.ts'
import { type AdditiveModel, type Fitted, floorOf } from './model.ts'
import { bend, piecesOf } from './trend.ts'

/**
 * The future as Taylor and Letham (2018, section 3.1.4) draw it: after the fit's last observation
 * the rate changes as often as it could before, by Laplace changes of the mean size of those found.
 * Every path draws its changes one after the other, so that none depends on the horizon.
 */
export type Paths = {
  /** Writes each path without its noise at one step; steps are asked for in their order. */
  step(h: number, out: Float64Array): void
}

/** Whether paths differ in their trend. */
export function trendVaries(model: AdditiveModel): boolean {
  return changeSizeOf(model) > 0
}

/** The paths numbered from `first` on. */
export function makePaths(
  model: AdditiveModel,
  { times, factor, added, trend: fitted }: Fitted,
  seed: number,
  first: number,
  count: number,
): Paths {
  const { trend, scale } = model
  const { starts, bases, rates } = piecesOf(trend)
  const size = changeSizeOf(model)
  const frequency = size > 0 ? trend.changepoints.length : 0
  const last = starts.length - 1
  const floor = floorOf(model.spec)
  const bends = trend.growth === 'logistic'
  const heights = new Float64Array(count)
  const slopes = new Float64Array(count).fill(rates[last]!)
  const froms = new Float64Array(count).fill(1)
  const nexts = new Float64Array(count).fill(Number.POSITIVE_INFINITY)
  const changes = new Int32Array(count)
  heights.fill(bases[last]! + rates[last]! * (1 - starts[last]!))
  if (frequency > 0) {
    for (let path = 0; path < count; path++) {
      nexts[path] = 1 - Math.log(uniformAt(seed, first + path, -1)) / frequency
    }
  }
  return {
    step(h, out) {
      const t = times[h]!
      // The factor multiplies what grows from the floor.
      const base = floor + added[h]!
      if (frequency === 0 || t <= 1) {
        out.fill(base + (fitted[h]! - floor) * factor[h]!)
        return
      }
      const by = scale * factor[h]!
      for (let path = 0; path < count; path++) {
        while (nexts[path]! <= t && changes[path]! < changesMax) change(path)
        out[path] = heights[path]! + slopes[path]! * (t - froms[path]!)
      }
      if (bends) for (let path = 0; path < count; path++) out[path] = bend(trend, out[path]!)
      for (let path = 0; path < count; path++) out[path] = base + by * out[path]!
    },
  }

  /** Steps below zero are draws of changes, apart from those of the noise. */
  function change(path: number): void {
    const at = nexts[path]!
    const k = changes[path]!
    heights[path]! += slopes[path]! * (at - froms[path]!)
    froms[path] = at
    const u = uniformAt(seed, first + path, -2 - 2 * k) - 0.5
    slopes[path]! -= size * Math.sign(u) * Math.log(1 - 2 * Math.abs(u))
    changes[path] = k + 1
    nexts[path] = at - Math.log(uniformAt(seed, first + path, -3 - 2 * k)) / frequency
  }
}

/** Adds the noise of one step to the values of the paths numbered from `first` on. */
export function addNoise(
  { sigma, scale }: AdditiveModel,
  { seed, first, step }: { readonly seed: number; readonly first: number; readonly step: number },
  values: Float64Array,
): void {
  const noise = sigma * scale
  if (noise === 0) return
  for (let path = 0; path < values.length; path++) {
    values[path]! += noise * normalAt(seed, first + path, step)
  }
}

/**
 * A noise for each path that stands for that of any one step: quantiles look at one step at a time,
 * and need not know how those of two hang together. The normal distribution is cut into shares of
 * equal probability, one for each path, dealt out by chance, so that it has no error of its own.
 */
export function sharedNoise(
  { sigma, scale }: AdditiveModel,
  seed: number,
  count: number,
): Float64Array {
  const lots = Float64Array.from({ length: count }, (_, path) => uniformAt(seed, path, 0))
  const shares = new Float64Array(count)
  const dealt = Int32Array.from({ length: count }, (_, path) => path)
  dealt.sort((a, b) => lots[a]! - lots[b]!)
  for (let share = 0; share < count; share++) {
    shares[dealt[share]!] = sigma * scale * normalQuantile((share + 0.5) / count)
  }
  return shares
}

/**
 * Changes of one path, many times those of the fitted time: a model may be so far beyond it, by its
 * updates, that nobody could wait for all of them. The last rate goes on.
 */
const changesMax = 400

/** The mean size of the changes that were found; 0 where there are none. */
function changeSizeOf({ trend: { deltas } }: AdditiveModel): number {
  let sum = 0
  for (const delta of deltas) sum += Math.abs(delta)
  return deltas.length === 0 ? 0 : sum / deltas.length
}
