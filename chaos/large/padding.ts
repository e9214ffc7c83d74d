import type { AnyModel } from '@almanac/engine'

/** Bytes of one repair: its place, what stood there and what stands in for it. */
const repairBytes = 4 + 8 + 8

/** The same model with so many more megabytes of repairs; only an automatic one can have them. */
export function padded(model: AnyModel, megabytes: number): AnyModel {
  if (megabytes === 0) return model
  if (model.family !== 'automatic') throw new Error('only an automatic model can be padded')
  const count = Math.floor((megabytes * 1_000_000) / repairBytes)
  const repairs = {
    places: Int32Array.from({ length: count }, (_, i) => i),
    originals: Float64Array.from({ length: count }, (_, i) => i * 0.5),
    substitutes: Float64Array.from({ length: count }, (_, i) => i * 0.25),
  }
  return { ...model, repairs }
}
