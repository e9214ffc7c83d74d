import { arimaAt } from '../../src/arima/fit.ts'
import type { ArimaModel } from '../../src/arima/model.ts'
import type { ArimaSpec } from '../../src/index.ts'
import { makeRandom } from '../random.ts'
import { randomArma } from './dense.ts'

export function specOf(fields: Partial<ArimaSpec>): ArimaSpec {
  return { family: 'arima', p: 1, d: 0, q: 0, differenceLag: 0, constant: false, ...fields }
}

/** A random spec, a random walk with gaps, and the model of it at random parameters. */
export function randomModel(seed: number): {
  readonly y: Float64Array
  readonly spec: ArimaSpec
  readonly model: ArimaModel
} {
  const random = makeRandom(seed)
  const spec = specOf({
    p: random.integer(0, 4),
    d: random.integer(0, 2),
    q: random.integer(0, 4),
    differenceLag: random.integer(0, 7),
    constant: random.uniform() < 0.5,
  })
  let level = random.between(-100, 100)
  const gaps = random.uniform() < 0.5 ? random.between(0, 0.08) : 0
  const y = Float64Array.from({ length: 120 }, () => {
    level += random.normal()
    return random.uniform() < gaps ? Number.NaN : level
  })
  if (random.uniform() < 0.3) y.fill(Number.NaN, 120 - random.integer(1, 9))
  const arma = randomArma(random, spec.p, spec.q, 0.95)
  return { y, spec, model: arimaAt({ y }, spec, arma).model }
}
