import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
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
import { makeBudget } from '../../src/numeric/budget.ts'
import { estimate, type Sample, solve } from '../../src/theta/estimate.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { readGolden } from '../golden.ts'
import { makeRandom } from '../random.ts'
import { airPassengers } from '../series/sample-series.ts'

const run = { seed: 5, workMax: 1e9 }
const quantiles = levelQuantiles([95])
const specOf = (fields = {}) => doneValue(parseSpec({ family: 'theta', ...fields }))
const methods = ['standard', 'optimised', 'dynamic-standard', 'dynamic'] as const

/** A walk with a drift and gaps, and a line that moves before each step. */
function sampleOf(seed: number, share: number | undefined): Sample {
  const random = makeRandom(seed)
  let level = 0
  const y = Float64Array.from({ length: random.integer(12, 80) }, (_, t) => {
    level += random.normal() + 0.2
    return t > 0 && random.uniform() < 0.1 ? Number.NaN : level + random.normal()
  })
  const lines = Float64Array.from({ length: 2 * y.length }, () => random.normal())
  return { y, lines, young: 3, share }
}

/** The sum of squares by the recursion itself, a step at a time. */
function squaresOf({ y, lines, young }: Sample, alpha: number, level: number, share: number) {
  let [at, power, seen, sum] = [level, 1, 0, 0]
  y.forEach((value, t) => {
    const tilt = (1 - power * (1 - alpha)) / alpha
    const expected = at + share * (power * lines[2 * t]! + tilt * lines[2 * t + 1]!)
    const error = value - expected
    power *= 1 - alpha
    at += Number.isNaN(value) ? alpha * (expected - at) : alpha * (value - at)
    if (Number.isNaN(value)) return
    if (seen++ >= young) sum += error * error
  })
  return sum + 1e-4 * level * level
}

test('level and share solved for an α have the squares of the recursion, and the least', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = makeRandom(1000 + seed)
    const sample = sampleOf(seed, undefined)
    const alpha = random.between(0.1, 0.99)
    const [level = 0, share = 0, squares = 0] = solved(sample, alpha)
    expect(squares / squaresOf(sample, alpha, level, share), `seed ${seed}`).toBeCloseTo(1, 7)
    for (let i = 0; i < 20; i++) {
      const other = Math.min(1, Math.max(0, share + random.between(-0.2, 0.2)))
      const near = squaresOf(sample, alpha, level + random.between(-1, 1), other)
      expect(near, `seed ${seed}`).toBeGreaterThan(squares * (1 - 1e-9))
    }
  }
})

test('the search over α ends at the least squares of all α, not at a nearby valley', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const sample = sampleOf(seed, seed % 2 === 0 ? 0.5 : undefined)
    const { squares } = estimate(sample, makeBudget(run))
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i <= 890; i++) least = Math.min(least, solved(sample, 0.1 + i / 1000)[2]!)
    expect(squares, `seed ${seed}`).toBeLessThan(least * (1 + 1e-6))
  }
})

function solved(sample: Sample, alpha: number): Float64Array {
  const out = new Float64Array(3)
  solve(sample, alpha, out)
  return out
}

describe.each(methods)('%s', (method) => {
  const y = airPassengers.slice()
  y[30] = Number.NaN

  test('follows a change of unit and of origin where the season is additive', () => {
    const spec = specOf({ method, decomposition: 'additive' })
    const forecastOf = (values: Float64Array) => {
      const model = doneValue(fitModel({ y: values, seasons: [12] }, spec, run))
      return doneValue(forecastModel(model, { horizon: 18, quantiles }))
    }
    const plain = forecastOf(y)
    const moved = forecastOf(y.map((value) => 3 * value - 7_000))
    for (const part of ['point', 'quantiles'] as const) {
      plain[part].forEach((value, i) => {
        expect(Math.abs(moved[part][i]! + 7_000 - 3 * value) / value).toBeLessThan(1e-6)
      })
    }
  })

  test('has paths that spread as its bounds say', () => {
    const values = y.slice()
    values.fill(Number.NaN, 141)
    const model = doneValue(fitModel({ y: values, seasons: [12] }, specOf({ method }), run))
    const [horizon, paths] = [24, 6_000]
    const ask = { horizon, quantiles }
    const { point, quantiles: bounds } = doneValue(forecastModel(model, ask))
    const drawn = doneValue(simulateModel(model, ask, paths, run))
    for (const h of [0, 5, 23]) {
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
  })

  test('has parts that add up to fit and forecast', () => {
    const model = doneValue(fitModel({ y, seasons: [12] }, specOf({ method }), run))
    const { point } = doneValue(forecastModel(model, { horizon: 20, quantiles }))
    const ahead = doneValue(explainModel(model, { ask: { horizon: 20, quantiles } }))
    expect(ahead.total).toEqual(point)
    const fits = doneValue(explainModel(model, { series: { y, seasons: [12] } }))
    for (const { total, parts } of [ahead, fits]) {
      total.forEach((value, t) => {
        const sum = parts.level![t]! + parts.line![t]! + parts.season![t]!
        expect(Math.abs(sum - value)).toBeLessThan(1e-9 * Math.abs(value))
      })
    }
  })

  test('goes on to 500 steps in finite numbers', () => {
    const model = doneValue(fitModel({ y, seasons: [12] }, specOf({ method }), run))
    const { point, quantiles: bounds } = doneValue(
      forecastModel(model, { horizon: 500, quantiles }),
    )
    expect([...point, ...bounds].every(Number.isFinite)).toBe(true)
  })
})

test('a line that is young moves with each value, and its bounds say so', () => {
  const random = makeRandom(12)
  const y = Float64Array.from({ length: 9 }, (_, t) => 10 + t + random.normal())
  const model = doneValue(fitModel({ y }, specOf({ method: 'dynamic-standard' }), run))
  const [horizon, paths] = [30, 20_000]
  const ask = { horizon, quantiles }
  const { point, quantiles: bounds } = doneValue(forecastModel(model, ask))
  const drawn = doneValue(simulateModel(model, ask, paths, run))
  for (const h of [3, 14, 29]) {
    let squares = 0
    for (let path = 0; path < paths; path++) {
      squares += (drawn[path * horizon + h]! - point[h]!) ** 2
    }
    const deviation = (bounds[2 * h + 1]! - point[h]!) / 1.959963984540054
    expect(Math.abs(Math.sqrt(squares / paths) / deviation - 1), `step ${h}`).toBeLessThan(0.02)
  }
})

test('a constant series is repeated without width', () => {
  const y = new Float64Array(40).fill(21.7)
  const model = doneValue(fitModel({ y, seasons: [12] }, specOf(), run))
  const { point, quantiles: bounds } = doneValue(forecastModel(model, { horizon: 9, quantiles }))
  expect(new Set([...point, ...bounds])).toEqual(new Set([21.7]))
})

test('few observations get a standard method, and fewer than three are refused', () => {
  const fit = (length: number) => fitModel({ y: airPassengers.slice(0, length) }, specOf(), run)
  expect(refusalOf(fit(2)).code).toBe('too-short')
  for (const length of [3, 4, 5, 6, 7]) {
    expect(fit(length)).toMatchObject({ report: { method: expect.stringContaining('standard') } })
  }
})

test('a season of factors is refused where a value is not positive, else terms are taken', () => {
  const y = airPassengers.map((value) => value - 112)
  const asked = specOf({ decomposition: 'multiplicative' })
  expect(refusalOf(fitModel({ y, seasons: [12] }, asked, run)).code).toBe('not-positive')
  const free = fitModel({ y, seasons: [12] }, specOf(), run)
  expect(free).toMatchObject({
    report: { summary: expect.stringContaining('an additive season of 12') },
  })
})

test('noise without a season is left as it is', () => {
  const random = makeRandom(4)
  const y = Float64Array.from({ length: 120 }, () => random.normal())
  expect(fitModel({ y, seasons: [12] }, specOf(), run)).toMatchObject({
    report: { summary: expect.stringContaining('no season') },
  })
})

test('a stopped fit is the best so far', () => {
  const stopped = fitModel({ y: airPassengers, seasons: [12] }, specOf(), {
    seed: 1,
    workMax: 1_000,
  })
  expect(stopped.kind).toBe('stopped')
  const forecast = forecastModel(doneValue(stopped), { horizon: 5, quantiles })
  expect(doneValue(forecast).point.every(Number.isFinite)).toBe(true)
})

test('bytes of format 1 are read as they were written', () => {
  const bytes = readGolden('theta-1.bin')
  const url = new URL('../golden/theta-1.json', import.meta.url)
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
