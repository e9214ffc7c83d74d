import { describe, expect, test } from 'vitest'
import { estimateOrders, thorough } from '../../../src/arima/estimate.ts'
import type { Orders } from '../../../src/arima/orders.ts'
import { prepare } from '../../../src/arima/prepare.ts'
import { chooseOrders, maximaDefault } from '../../../src/arima/select/choose.ts'
import { nameOf } from '../../../src/arima/select/name.ts'
import { makeBudget } from '../../../src/numeric/budget.ts'
import { makeRandom } from '../../random.ts'
import { referenceSeries } from '../references.ts'

const unbounded = () => makeBudget({ workMax: Number.POSITIVE_INFINITY })
const choose = (y: Float64Array, season: number, columns: Float64Array[] = []) =>
  chooseOrders({ y, columns }, season, maximaDefault, unbounded())

const none = { p: 0, d: 0, q: 0, P: 0, D: 0, Q: 0, differenceLag: 0, constant: false }

/** The AICc, in the units of a scaled sample, of the best fit of some orders. */
function aiccOf(y: Float64Array, orders: Orders): number {
  const prepared = prepare(y, [], orders)
  return estimateOrders(prepared, orders, thorough(orders), unbounded()).aicc
}

describe('the orders chosen are no worse than those of other engines', () => {
  // R 4.2 forecast 8.20: auto.arima(x); statsforecast 2.1.1: AutoARIMA(season_length).
  const theirs: [string, string, number, Partial<Orders>][] = [
    ['R', 'AirPassengers', 12, { p: 2, d: 1, q: 1, D: 1 }],
    ['statsforecast', 'AirPassengers', 12, { p: 1, d: 1, D: 1 }],
    ['R', 'log AirPassengers', 12, { d: 1, q: 1, D: 1, Q: 1 }],
    ['R', 'LakeHuron', 1, { d: 1 }],
    ['R, all models', 'LakeHuron', 1, { p: 2, d: 1, q: 1 }],
    ['R', 'WWWusage', 1, { p: 1, d: 1, q: 1 }],
    ['R, all models', 'WWWusage', 1, { p: 3, d: 1 }],
    ['R', 'lynx', 1, { p: 2, q: 2, constant: true }],
    ['R', 'UKgas', 4, { d: 1, q: 1, D: 1 }],
    ['R', 'JohnsonJohnson', 4, { p: 3, d: 1, q: 1, D: 1 }],
    ['statsforecast', 'Nile', 1, { p: 1, d: 1, q: 1 }],
  ]
  for (const [engine, name, season, terms] of theirs) {
    const orders = { ...none, ...terms, seasonLength: season }
    test(`${engine}: ${nameOf(orders)} of ${name}`, () => {
      const values = Float64Array.from(referenceSeries[name.replace('log ', '')]!)
      const y = name.startsWith('log') ? values.map(Math.log) : values
      const { orders: ours, search } = choose(y, season)
      expect([ours.d, ours.D]).toEqual([orders.d, orders.D])
      expect(search!.estimate.aicc).toBeLessThanOrEqual(aiccOf(y, orders) + 1e-3)
    })
  }
})

/** Integrated d times, of a process that begins at rest. */
function simulate(seed: number, n: number, d: number, ar: number[], ma: number[]): Float64Array {
  const { normal } = makeRandom(seed)
  const shocks = Float64Array.from({ length: n + 100 }, normal)
  const w = new Float64Array(n + 100)
  for (let t = 0; t < w.length; t++) {
    let value = shocks[t]!
    for (const [i, phi] of ar.entries()) if (t > i) value += phi * w[t - 1 - i]!
    for (const [j, theta] of ma.entries()) if (t > j) value += theta * shocks[t - 1 - j]!
    w[t] = value
  }
  const y = w.slice(100)
  for (let k = 0; k < d; k++) for (let t = 1; t < n; t++) y[t]! += y[t - 1]!
  return y
}

test('a process is found again, or a model with a lower criterion', () => {
  const processes: [number, number[], number[], Partial<Orders>][] = [
    [0, [0.7], [], { p: 1, constant: true }],
    [0, [1.2, -0.6], [], { p: 2, constant: true }],
    [1, [], [-0.6], { d: 1, q: 1 }],
    [1, [0.6], [0.4], { p: 1, d: 1, q: 1 }],
  ]
  let exact = 0
  let same = 0
  for (const [i, [d, ar, ma, terms]] of processes.entries()) {
    for (let repeat = 0; repeat < 5; repeat++) {
      const y = simulate(100 * i + repeat, 300, d, ar, ma)
      const truth = { ...none, ...terms, seasonLength: 1 }
      const { orders, search } = choose(y, 1)
      if (orders.d !== d) continue
      same++
      expect(search!.estimate.aicc).toBeLessThanOrEqual(aiccOf(y, truth) + 1e-3)
      if (nameOf(orders) === nameOf(truth)) exact++
    }
  }
  expect(same).toBeGreaterThanOrEqual(16)
  expect(exact).toBeGreaterThanOrEqual(5)
})

test('a season of lags is found, and a regressor taken away before the tests', () => {
  const random = makeRandom(8)
  const shocks = Float64Array.from({ length: 240 }, random.normal)
  const y = new Float64Array(240)
  for (let t = 0; t < 240; t++) y[t] = shocks[t]! + (t >= 4 ? 0.5 * y[t - 4]! : 0)
  const { orders } = choose(y, 4)
  expect([orders.d, orders.D]).toEqual([0, 0])
  expect(orders.P + orders.Q).toBeGreaterThanOrEqual(1)
  const ramp = Float64Array.from({ length: 240 }, (_, t) => t)
  const tilted = y.map((value, t) => value + 0.5 * t)
  expect(choose(tilted, 4).orders.d).toBe(1)
  expect(choose(tilted, 4, [ramp]).orders.d).toBe(0)
})

test('the choice is the same every time, in every unit, and for any level of a difference', () => {
  const y = Float64Array.from(referenceSeries.WWWusage!)
  const { orders, search } = choose(y, 1)
  expect(choose(y, 1)).toEqual({ orders, search })
  expect(
    choose(
      y.map((value) => value * 2 ** 400),
      1,
    ).orders,
  ).toEqual(orders)
  expect(
    choose(
      y.map((value) => value / 2 ** 400),
      1,
    ).orders,
  ).toEqual(orders)
  expect(
    choose(
      y.map((value) => value + 1000),
      1,
    ).orders,
  ).toEqual(orders)
})

test('candidates are the best of those tried, at one difference, with reasons for refusals', () => {
  const y = Float64Array.from(referenceSeries.AirPassengers!)
  const { orders, search } = choose(y, 12)
  const { candidates, models } = search!
  expect(candidates.length).toBeLessThanOrEqual(20)
  expect(models).toBeGreaterThanOrEqual(candidates.length)
  expect(candidates[0]!.name).toBe(nameOf(orders))
  const scores = candidates.flatMap(({ aicc }) => aicc ?? [])
  expect(scores).toEqual([...scores].sort((a, b) => a - b))
  for (const { name, aicc, refused } of candidates) {
    expect(name).toMatch(/^ARIMA\(\d,1,\d\)\(\d,1,\d\)\[12\]$/)
    expect(aicc === undefined).toBe(refused !== undefined)
  }
})

test('a budget ends the search with the best so far', () => {
  const y = Float64Array.from(referenceSeries.AirPassengers!)
  const whole = choose(y, 12).search!
  for (const workMax of [0, 1_000, 20_000, 60_000]) {
    const budget = makeBudget({ workMax })
    const { orders, search } = chooseOrders({ y, columns: [] }, 12, maximaDefault, budget)
    expect(budget.ended()).toBe('budget')
    expect([orders.d, orders.D]).toEqual([1, 1])
    expect(search!.models).toBeLessThan(whole.models)
    expect(search!.estimate.logLikelihood).toBeLessThan(Number.POSITIVE_INFINITY)
  }
})

test('what does not vary is not searched: a constant, a line, a season that repeats', () => {
  const of = (f: (t: number) => number) => Float64Array.from({ length: 60 }, (_, t) => f(t))
  const cases: [Float64Array, Partial<Orders>][] = [
    [of(() => 5), { d: 0, D: 0, constant: true }],
    [of((t) => 3 * t - 7), { d: 1, D: 0, constant: true }],
    [of((t) => [1, 5, -2, 8][t % 4]!), { d: 0, D: 1, constant: true }],
  ]
  for (const [y, expected] of cases) {
    const { orders, search } = choose(y, 4)
    expect(orders).toMatchObject({ p: 0, q: 0, P: 0, Q: 0, ...expected })
    expect(search).toBeUndefined()
  }
})

test('a short series has a small model', () => {
  const random = makeRandom(4)
  for (let n = 4; n <= 30; n++) {
    for (const season of [1, 2, 4, 12]) {
      let level = 0
      const y = Float64Array.from({ length: n }, () => (level += random.normal()))
      const { orders, search } = choose(y, season)
      const count = orders.p + orders.q + orders.P + orders.Q + (orders.constant ? 1 : 0)
      const left = n - orders.d - orders.D * season
      expect(left).toBeGreaterThanOrEqual(count + 3)
      expect(Number.isFinite(search!.estimate.logLikelihood)).toBe(true)
    }
  }
})
