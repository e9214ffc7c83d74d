import type { Ask } from '../family.ts'
import { normalAt } from '../numeric/random.ts'
import { type EtsModel, isPositive, makeCursor, step } from './model.ts'

/**
 * Paths that go on from the end of the series, paths × horizon. A value of a multiplicative form
 * stays above zero, as all that it stands for: a relative error is cut off at ±99%, a fit at a
 * thousandth of the last level.
 */
/** Far beyond any forecast, and a product of two of them is still a number. */
const highest = 1e100

export function simulateEts(
  model: EtsModel,
  { horizon }: Ask,
  paths: number,
  seed: number,
): Float64Array {
  const { form, scale, pending } = model
  const values = new Float64Array(paths * horizon)
  const deviation = Math.sqrt(model.sigma2)
  const lowest = isPositive(model) ? 1e-3 * Math.abs(model.state[0]!) : Number.NEGATIVE_INFINITY
  for (let path = 0; path < paths; path++) {
    const cursor = makeCursor(model)
    const { smoothing } = cursor
    for (let h = 0; h < pending + horizon; h++) {
      const q = cursor.level + smoothing[3]! * cursor.trend
      const s = cursor.season[cursor.at]!
      const fit = Math.max(lowest, form.season === 'M' ? q * s : q + s)
      const error = deviation * normalAt(seed, path, h)
      const relative = Math.min(0.99, Math.max(-0.99, error))
      const free = form.error === 'A' ? fit + error : fit * (1 + relative)
      const value = Math.min(highest, Math.max(-highest, free))
      step(cursor, value)
      if (h >= pending) values[path * horizon + h - pending] = scale * value
    }
  }
  return values
}
