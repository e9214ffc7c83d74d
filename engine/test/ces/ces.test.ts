import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { filterCes } from '../../src/ces/fit.ts'
import { cesMoments } from '../../src/ces/forecast.ts'
import { makeKernel } from '../../src/ces/kernel.ts'
import { barrier, growthOf, makeStability } from '../../src/ces/region.ts'
import type { CesSeason } from '../../src/ces/spec.ts'
import { roughStart } from '../../src/ces/start.ts'
import { stateSize, structureOf } from '../../src/ces/structure.ts'
import {
  decodeModel,
  encodeModel,
  explainModel,
  fitModel,
  forecastModel,
  levelQuantiles,
  parseSpec,
  simulateModel,
} from '../../src/index.ts'
import { referenceSeries } from '../arima/references.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { readGolden } from '../golden.ts'
import { makeRandom, type TestRandom } from '../random.ts'
import { airPassengers, nottem } from '../series/sample-series.ts'

const run = { seed: 5, workMax: 1e9 }
const quantiles = levelQuantiles([95])
const specOf = (fields = {}) => doneValue(parseSpec({ family: 'ces', ...fields }))
const seasons: readonly CesSeason[] = ['none', 'simple', 'partial', 'full']

/**
 * statsforecast backcasts to before the first season, we to before the first value. A level has
 * forgotten its start at the end of these series. A season has not: on AirPassengers, with α₀ of
 * 1.8, a start that differs by 10 in one month still moves the forecast by 0.5 after twelve years.
 */
const forecastWithin = { plain: 1e-6, seasonal: 1e-3 } as const

/** statsforecast 2.1.1, auto_ces(y, m, model=...): parameters, and -n/2 log of the squares. */
const references = [
  {
    name: 'Nile',
    y: Float64Array.from(referenceSeries.Nile!),
    season: 'none',
    parameters: [1.2161187298712317, 0.9951469605322917],
    likelihood: -725.6597374023538,
    forecast: [800.127758, 797.509531, 794.192327],
  },
  {
    name: 'AirPassengers',
    y: airPassengers,
    season: 'none',
    parameters: [1.7999999999999998, 0.9839288711547911],
    likelihood: -873.6331333130427,
    forecast: [425.490976, 418.237663, 417.202193],
  },
  {
    name: 'nottem',
    y: nottem,
    season: 'simple',
    parameters: [1.0498687872397583, 1.0001452766839058],
    likelihood: -857.7975965599343,
    forecast: [39.824841, 39.401948, 42.451261],
  },
  {
    name: 'AirPassengers',
    y: airPassengers,
    season: 'partial',
    parameters: [1.8, 1.0078683310352061, 0.7258207103754214],
    likelihood: -741.1781431026836,
    forecast: [452.348179, 445.456654, 493.06798],
  },
  {
    name: 'nottem',
    y: nottem,
    season: 'partial',
    parameters: [1.0205973000011386, 1.0000480500288813, 0.01],
    likelihood: -853.0427399462611,
    forecast: [40.214259, 39.683458, 42.662418],
  },
  {
    name: 'nottem',
    y: nottem,
    season: 'full',
    parameters: [1.0238322837169282, 1.000046115387849, 0.9809314910642618, 0.9999299826039509],
    // Its season grows by 2% a season, outside of what we call stable.
    outside: true,
    likelihood: -851.0773348913552,
    forecast: [40.19327, 39.557665, 42.398466],
  },
] as const

describe.each(references)('statsforecast, $season season on $name', (reference) => {
  const { y, season, parameters, likelihood } = reference
  const structure = structureOf(season, season === 'none' ? 1 : 12)

  test('its likelihood is ours at its parameters, but for how the start is found', () => {
    const kernel = makeKernel(y, structure, roughStart(y, structure))
    const gradient = new Float64Array(parameters.length)
    const squares = kernel.evaluate(Float64Array.from(parameters), gradient)
    expect(Math.abs(-0.5 * y.length * Math.log(squares) - likelihood)).toBeLessThan(0.5)
  })

  test('its forecast is ours at its parameters, but for how the start is found', () => {
    const kernel = makeKernel(y, structure, roughStart(y, structure))
    const given = Float64Array.from(parameters)
    kernel.evaluate(given, new Float64Array(parameters.length))
    const start = new Float64Array(stateSize(structure))
    kernel.copyStart(start)
    const model = filterCes(
      {
        family: 'ces',
        spec: { family: 'ces', season, seasonLength: null },
        season,
        seasonLength: season === 'none' ? 1 : 12,
        parameters: given,
        deviation: 1,
        start,
        state: start,
        observations: 0,
        missing: 0,
        pending: 0,
      },
      y,
    )
    const { point } = cesMoments(model, 3)
    reference.forecast.forEach((value, h) => {
      expect(Math.abs(point[h]! / value - 1)).toBeLessThan(
        season === 'none' ? forecastWithin.plain : forecastWithin.seasonal,
      )
    })
  })

  test('its optimum is no better than ours', () => {
    const spec = specOf({ season })
    const fit = fitModel({ y, seasons: [12] }, spec, run)
    if (fit.kind === 'refused') throw new Error(fit.reason.detail)
    const variance = (fit.report.sigma2 as number) * (y.length - parameters.length)
    expect(-0.5 * y.length * Math.log(variance)).toBeGreaterThan(
      likelihood - ('outside' in reference ? 1.5 : 0.5),
    )
  })
})

describe.each(seasons)('the season %s', (season) => {
  const structure = structureOf(season, season === 'none' ? 1 : 4)
  const y = Float64Array.from({ length: 60 }, (_, t) => {
    const value = 20 + 0.3 * t + 4 * Math.sin((2 * Math.PI * t) / 4) + makeRandom(t).normal()
    return t % 13 === 5 ? Number.NaN : value
  })

  test('has the gradient of differences, through backcasting and over gaps', () => {
    const kernel = makeKernel(y, structure, roughStart(y, structure))
    for (let seed = 1; seed <= 30; seed++) {
      const p = randomParameters(makeRandom(seed), structure.parameters)
      const gradient = new Float64Array(p.length)
      const none = new Float64Array(p.length)
      kernel.evaluate(p, gradient)
      for (let k = 0; k < p.length; k++) {
        const step = 1e-6
        const above = kernel.evaluate(moved(p, k, step), none)
        const below = kernel.evaluate(moved(p, k, -step), none)
        const slope = (above - below) / (2 * step)
        expect(Math.abs(gradient[k]! - slope), `seed ${seed}, parameter ${k}`).toBeLessThan(
          1e-5 * (1 + Math.abs(slope)),
        )
      }
    }
  })

  test('is stable exactly where its errors are forgotten', () => {
    const random = makeRandom(9)
    const isStable = makeStability(structure)
    let stable = 0
    for (let i = 0; i < 300; i++) {
      const p = randomParameters(random, structure.parameters)
      const growth = growthOfErrors(structure, p)
      // A mode that moves between level and season may grow by 10% a season; near it, no verdict.
      const border = structure.seasonLag > 0 ? 0.1 / structure.seasonLag : 0
      if (Math.abs(growth - border) < 0.005) continue
      expect(isStable(p), `parameters ${p.join()}`).toBe(growth < border)
      if (growth < border) stable++
    }
    expect(stable).toBeGreaterThan(10)
  })

  test('has paths that spread as its bounds say, parts that add up, and 500 finite steps', () => {
    const series = { y: y.slice(), seasons: [4] }
    series.y.fill(Number.NaN, 58)
    const model = doneValue(fitModel(series, specOf({ season }), run))
    const [horizon, paths] = [12, 8_000]
    const ask = { horizon, quantiles }
    const { point, quantiles: bounds } = doneValue(forecastModel(model, ask))
    const drawn = doneValue(simulateModel(model, ask, paths, run))
    for (const h of [0, 4, 11]) {
      let [sum, squares] = [0, 0]
      for (let path = 0; path < paths; path++) {
        const apart = drawn[path * horizon + h]! - point[h]!
        sum += apart
        squares += apart * apart
      }
      const deviation = (bounds[2 * h + 1]! - point[h]!) / 1.959963984540054
      expect(Math.abs(sum / paths) / deviation).toBeLessThan(0.06)
      expect(Math.sqrt(squares / paths) / deviation).toBeCloseTo(1, 1)
    }
    const explained = doneValue(explainModel(model, { ask }))
    expect(explained.total).toEqual(point)
    explained.total.forEach((value, h) => {
      const sum = Object.values(explained.parts).reduce((all, part) => all + part[h]!, 0)
      expect(Math.abs(sum - value)).toBeLessThan(1e-9 * Math.abs(value))
    })
    const far = doneValue(forecastModel(model, { horizon: 500, quantiles }))
    expect([...far.point, ...far.quantiles].every(Number.isFinite)).toBe(true)
  })

  test('follows a change of unit, and turns with the sign', () => {
    const forecastOf = (factor: number) => {
      const values = y.map((value) => factor * value)
      const model = doneValue(fitModel({ y: values, seasons: [4] }, specOf({ season }), run))
      return doneValue(forecastModel(model, { horizon: 10, quantiles })).point
    }
    const plain = forecastOf(1)
    for (const factor of [1024, 3, -1]) {
      forecastOf(factor).forEach((value, h) => {
        expect(Math.abs(value / (factor * plain[h]!) - 1)).toBeLessThan(1e-4)
      })
    }
  })
})

test('the barrier has the gradient of differences', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = makeRandom(seed)
    const p = Float64Array.of(random.between(1.05, 1.7), random.between(0.9, 1.1))
    const gradient = new Float64Array(2)
    if (barrier(p, 0, 1, gradient) === Number.POSITIVE_INFINITY) continue
    for (let k = 0; k < 2; k++) {
      const none = new Float64Array(2)
      const above = barrier(moved(p, k, 1e-6), 0, 1, none)
      const below = barrier(moved(p, k, -1e-6), 0, 1, none)
      const slope = (above - below) / 2e-6
      expect(Math.abs(gradient[k]! - slope)).toBeLessThan(1e-4 * (1 + Math.abs(slope)))
    }
  }
})

test('growth is the largest eigenvalue of the transition', () => {
  // Eigenvalues of [[1, -(1 - α₁)], [1, 1 - α₀]]: 1 and 1 - α₀ for α₁ = 1, a pair for α₁ < 1.
  expect(growthOf(1.3, 1)).toBeCloseTo(1, 12)
  expect(growthOf(0.2, 0.5)).toBeCloseTo(Math.sqrt(1.3), 12)
  expect(growthOf(1.5, 1.1)).toBeGreaterThan(1)
})

test('a constant series is repeated', () => {
  const y = new Float64Array(40).fill(21.7)
  const model = doneValue(fitModel({ y, seasons: [12] }, specOf(), run))
  const { point, quantiles: bounds } = doneValue(forecastModel(model, { horizon: 9, quantiles }))
  for (const value of [...point, ...bounds]) expect(value).toBeCloseTo(21.7, 9)
})

test('too few observations, or a season seen once, are refused', () => {
  const fit = (length: number, fields = {}) =>
    fitModel({ y: airPassengers.slice(0, length), seasons: [12] }, specOf(fields), run)
  expect(refusalOf(fit(4)).code).toBe('too-short')
  expect(fit(5).kind).toBe('done')
  expect(refusalOf(fit(20, { season: 'full' })).code).toBe('too-short')
  expect(fit(20)).toMatchObject({ report: { season: 'none' } })
})

test('a stopped fit is the best so far', () => {
  const stopped = fitModel({ y: airPassengers, seasons: [12] }, specOf(), { seed: 1, workMax: 900 })
  expect(stopped.kind).toBe('stopped')
  const forecast = forecastModel(doneValue(stopped), { horizon: 5, quantiles })
  expect(doneValue(forecast).point.every(Number.isFinite)).toBe(true)
})

test('bytes of format 1 are read as they were written', () => {
  const bytes = readGolden('ces-1.bin')
  const url = new URL('../golden/ces-1.json', import.meta.url)
  const { point, bounds } = JSON.parse(readFileSync(url, 'utf8')) as Record<string, number[]>
  const model = doneValue(decodeModel(bytes))
  expect(Buffer.from(encodeModel(model))).toEqual(bytes)
  const forecast = doneValue(forecastModel(model, { horizon: 6, quantiles }))
  point!.forEach((value, h) => {
    expect(Math.abs(forecast.point[h]! / value - 1)).toBeLessThan(1e-8)
  })
  bounds!.forEach((value, i) => {
    expect(Math.abs(forecast.quantiles[i]! / value - 1)).toBeLessThan(1e-8)
  })
})

function randomParameters(random: TestRandom, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, k) => {
    if (count === 3 && k === 2) return random.between(0.05, 1.2)
    return k % 2 === 0 ? random.between(0.8, 1.9) : random.between(0.8, 1.15)
  })
}

function moved(p: Float64Array, k: number, by: number): Float64Array {
  return p.map((value, i) => (i === k ? value + by : value))
}

/** The logarithm of the growth of what is left of a random state in a series of zeros, a step. */
function growthOfErrors(structure: ReturnType<typeof structureOf>, p: Float64Array): number {
  const { levelLag, seasonLag, seasonWidth } = structure
  const random = makeRandom(77)
  const state = Float64Array.from({ length: stateSize(structure) }, () => random.normal())
  const [a0 = 0, a1 = 0, b0 = 0, b1 = 0] = p
  const half = 3_000
  let logs = 0
  for (let t = 0; t < 2 * half; t++) {
    const at = 2 * (t % levelLag)
    const on = 2 * levelLag + seasonWidth * (seasonLag > 0 ? t % seasonLag : 0)
    const [l, c] = [state[at]!, state[at + 1]!]
    const s = seasonWidth > 0 ? state[on]! : 0
    const error = -l - s
    state[at] = l - (1 - a1) * c + (a0 - a1) * error
    state[at + 1] = l + (1 - a0) * c + (a0 + a1) * error
    if (seasonWidth === 1) state[on] = s + b0 * error
    if (seasonWidth === 2) {
      const r = state[on + 1]!
      state[on] = s - (1 - b1) * r + (b0 - b1) * error
      state[on + 1] = s + (1 - b0) * r + (b0 + b1) * error
    }
    if (t % 20 === 19) {
      const norm = Math.sqrt(state.reduce((sum, value) => sum + value * value, 0))
      for (let i = 0; i < state.length; i++) state[i] = state[i]! / norm
      if (t >= half) logs += Math.log(norm)
    }
  }
  return logs / half
}
