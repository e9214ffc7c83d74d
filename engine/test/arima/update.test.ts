import { expect, test } from 'vitest'
import { arima } from '../../src/arima/family.ts'
import {
  filterCovariance,
  makeDenseFilter,
  stepFilter,
  wholeCovariance,
} from '../../src/arima/kalman.ts'
import { filterSeries } from '../../src/arima/model.ts'
import { armaFromPartials } from '../../src/arima/parameters.ts'
import { encodeModel } from '../../src/index.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { makeRandom } from '../random.ts'
import { parametersOf, randomModel, specOf } from './models.ts'

test('an update in any number of pieces equals filtering the whole, byte by byte', () => {
  for (let seed = 0; seed < 200; seed++) {
    const { y, model } = randomModel(seed)
    const random = makeRandom(seed + 1_000)
    const begin = filterSeries(model, { y: y.subarray(0, 60) })
    let updated = begin
    for (let at = 60; at < y.length; ) {
      const to = Math.min(y.length, at + random.integer(0, 20))
      updated = doneValue(arima.update(updated, { y: y.subarray(at, to) }))
      at = to
    }
    expect(encodeModel(updated), `seed ${seed}`).toEqual(encodeModel(model))
  }
})

test('an update leaves the former model as it was', () => {
  const { model } = randomModel(3)
  const before = encodeModel(model)
  doneValue(arima.update(model, { y: Float64Array.of(1, 2, 3) }))
  expect(encodeModel(model)).toEqual(before)
})

test('missing values at the end wait, and count, until an observed one follows', () => {
  const { model } = randomModel(1)
  const waiting = doneValue(arima.update(model, { y: new Float64Array(5).fill(Number.NaN) }))
  expect(waiting.pending).toBe(model.pending + 5)
  expect(waiting.missing).toBe(model.missing + 5)
  const observed = doneValue(arima.update(waiting, { y: Float64Array.of(1) }))
  expect(observed.pending).toBe(0)
  expect(observed.observations).toBe(model.observations + 1)
})

test('what no model can take is refused with its place', () => {
  const { model } = randomModel(1)
  const infinite = arima.update(model, { y: Float64Array.of(1, Number.POSITIVE_INFINITY) })
  expect(refusalOf(infinite)).toMatchObject({ code: 'not-finite', field: '/y/1' })
  const endless = arima.update(model, { y: new Float64Array(10_001).fill(Number.NaN) })
  expect(refusalOf(endless).code).toBe('too-many-missing')
})

test('a yearly season of days is kept in a few kilobytes, whole covariance and all', () => {
  const spec = specOf({ p: 1, q: 1, D: 1, Q: 1, seasonLength: 365 })
  const random = makeRandom(4)
  const y = Float64Array.from({ length: 1_500 }, (_, t) => 9 * Math.sin(t / 58) + random.normal())
  const arma = armaFromPartials(Float64Array.of(0.5), Float64Array.of(-0.2), {
    ar: new Float64Array(0),
    ma: Float64Array.of(0.6),
    seasonLength: 365,
  })
  const model = filterSeries(parametersOf(spec, arma), { y })
  expect(encodeModel(model).length).toBeLessThan(30_000)
  expect(arima.sizeBytes(model)).toBeLessThan(30_000)
  const dense = makeDenseFilter(arma)
  for (let t = 365; t < y.length; t++) stepFilter(dense, y[t]! - y[t - 365]!)
  model.state.forEach((value, i) => {
    expect(Math.abs(value - dense.state[i]!)).toBeLessThan(1e-9)
  })
  const whole = wholeCovariance(arma, model.state, model.covariance)
  const expected = filterCovariance(dense)
  for (let i = 0; i < whole.length; i++) {
    expect(Math.abs(whole[i]! - expected[i]!)).toBeLessThan(1e-9)
  }
})
