import type { Series } from '../../src/index.ts'
import { makeRandom } from '../random.ts'

/** Autoregressive series of many lengths; some cannot be fitted. */
export function mixedBatch(seed: number, count: number): Series[] {
  const random = makeRandom(seed)
  return Array.from({ length: count }, (_, i) => {
    const y = new Float64Array(i % 7 === 3 ? 2 : random.integer(20, 60))
    for (let t = 1; t < y.length; t++) y[t] = 0.6 * y[t - 1]! + random.normal()
    if (i % 11 === 5) y[0] = Number.POSITIVE_INFINITY
    return { y, key: `series ${i}` }
  })
}

export const autoregression = {
  family: 'arima',
  p: 1,
  d: 0,
  q: 0,
  differenceLag: 0,
  constant: true,
}
