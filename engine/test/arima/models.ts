import { arimaAt } from '../../src/arima/fit.ts'
import type { ArimaModel, ArimaParameters } from '../../src/arima/model.ts'
import { type Arma, armaFromPartials } from '../../src/arima/parameters.ts'
import { arimaDefaults, ordersOf } from '../../src/arima/spec.ts'
import type { ArimaSpec } from '../../src/index.ts'
import { makeRandom, type TestRandom } from '../random.ts'
import { randomArma } from './dense.ts'

export function specOf(fields: Partial<ArimaSpec>): ArimaSpec {
  return { ...arimaDefaults, p: 1, q: 0, differenceLag: 0, ...fields }
}

/** Parameters of a model without regressors, as `filterSeries` takes them. */
export function parametersOf(
  spec: ArimaSpec,
  arma: Arma,
  { scale = 1, mean = 0, sigma2 = 1 } = {},
): ArimaParameters {
  const beta = new Float64Array(0)
  return { spec, orders: ordersOf(spec, {}), arma, scale, mean, sigma2, beta }
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
    ...(seed % 2 === 0 ? {} : randomSeason(random)),
  })
  let level = random.between(-100, 100)
  const gaps = random.uniform() < 0.5 ? random.between(0, 0.08) : 0
  const y = Float64Array.from({ length: 120 }, () => {
    level += random.normal()
    return random.uniform() < gaps ? Number.NaN : level
  })
  if (random.uniform() < 0.3) y.fill(Number.NaN, 120 - random.integer(1, 9))
  const plain = randomArma(random, spec.p, spec.q, 0.95)
  const season = randomArma(random, spec.P, spec.Q, 0.9)
  const arma = armaFromPartials(plain.arPartials, plain.maPartials, {
    ar: season.arPartials,
    ma: season.maPartials,
    seasonLength: spec.seasonLength ?? 1,
  })
  return { y, spec, model: arimaAt({ y }, spec, arma).model }
}

function randomSeason(random: TestRandom): Partial<ArimaSpec> {
  return {
    differenceLag: 0,
    P: random.integer(0, 2),
    D: random.integer(0, 1),
    Q: random.integer(0, 2),
    seasonLength: random.integer(2, 6),
  }
}
