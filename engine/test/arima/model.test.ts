import { describe, expect, test } from 'vitest'
import { filterSeries } from '../../src/arima/model.ts'
import { armaFromPartials } from '../../src/arima/parameters.ts'
import { difference, differencing } from '../../src/series/difference.ts'
import { makeRandom } from '../random.ts'
import { randomArma } from './dense.ts'
import { parametersOf, specOf } from './models.ts'

describe('filling of missing levels', () => {
  test('a difference with a filled end counts as missing', () => {
    for (let seed = 0; seed < 50; seed++) {
      const random = makeRandom(seed)
      const spec = specOf({ p: 2, q: 1, d: seed % 2, differenceLag: 6 })
      const y = Float64Array.from({ length: 90 }, (_, t) => {
        return random.uniform() < 0.1 && t < 89 ? Number.NaN : random.normal()
      })
      const arma = randomArma(random, 2, 1, 0.9)
      const model = filterSeries(parametersOf(spec, arma), { y })
      const w = difference(differencing(spec.d, spec.differenceLag), y)
      const plain = filterSeries(parametersOf(specOf({ p: 2, q: 1 }), arma), { y: w })
      const waited = Number.isNaN(w[w.length - 1]!)
      if (waited) continue
      expect(model.state, `seed ${seed}`).toEqual(plain.state)
      expect(model.covariance, `seed ${seed}`).toEqual(plain.covariance)
    }
  })

  test('in the first season is a straight line, later what the filter expects', () => {
    const arma = armaFromPartials(new Float64Array(0), new Float64Array(0))
    const spec = specOf({ p: 0, differenceLag: 4 })
    const y = Float64Array.of(1, Number.NaN, Number.NaN, 4, 5, Number.NaN, Number.NaN, 8)
    const model = filterSeries(parametersOf(spec, arma, { scale: 2, mean: 0.5 }), { y })
    expect([...model.levels]).toEqual([5, 2 + 1, 3 + 1, 8])
    expect([...model.filled]).toEqual([0, 1, 1, 0])
    expect(model).toMatchObject({ observations: 4, missing: 4, pending: 0 })
  })
})
