import { normalAt, uniformAt } from '../numeric/random.ts'
import { type AdditiveModel, type Fitted, floorOf } from './model.ts'
import { bend, piecesOf } from './trend.ts'

/**
 * The future as Taylor and Letham (2018, section 3.1.4) draw it: after the fit's last observation
 * the rate changes as often as it could before, by Laplace changes of the mean size of those found.
 * Every path draws its changes one after the other, so that none depends on the horizon.
 */
export type Paths = {
  /** Writes the value of each path at one step; steps are asked for in their order. */
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
  const { trend, scale, sigma } = model
  const { starts, bases, rates } = piecesOf(trend)
  const size = changeSizeOf(model)
  const frequency = size > 0 ? trend.changepoints.length : 0
  const last = starts.length - 1
  const floor = floorOf(model.spec)
  const noise = sigma * scale
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
      const known = frequency === 0 || t <= 1
      for (let path = 0; path < count; path++) {
        while (nexts[path]! <= t) change(path)
        const level = known
          ? fitted[h]!
          : floor + scale * bend(trend, heights[path]! + slopes[path]! * (t - froms[path]!))
        // The factor multiplies what grows from the floor.
        const value = floor + (level - floor) * factor[h]! + added[h]!
        out[path] = noise > 0 ? value + noise * normalAt(seed, first + path, h) : value
      }
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

/** The mean size of the changes that were found; 0 where there are none. */
function changeSizeOf({ trend: { deltas } }: AdditiveModel): number {
  let sum = 0
  for (const delta of deltas) sum += Math.abs(delta)
  return deltas.length === 0 ? 0 : sum / deltas.length
}
