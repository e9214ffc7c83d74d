import { expect, test } from 'vitest'
import { findSpikes, repaired } from '../../src/automatic/repairs.ts'
import {
  type AnyModel,
  encodeModel,
  filterModel,
  fitModel,
  forecastModel,
  parseSpec,
  type Report,
  updateModel,
} from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'
import { makeRandom, type TestRandom } from '../random.ts'

const run = { seed: 1, workMax: 1e9 }

test('one value far from those around it is found, and what stands in is usual for its season', () => {
  const y = months(96)
  const usual = y[80]!
  y[80] = 900
  const { places, originals, substitutes } = findSpikes(y, [12])
  expect([...places]).toEqual([80])
  expect([...originals]).toEqual([900])
  expect(Math.abs(substitutes[0]! - usual)).toBeLessThan(10)
})

test('a spike that comes each year, a new level, and one at the very end are left alone', () => {
  const yearly = months(120).map((value, t) => (t % 12 === 11 ? value + 500 : value))
  expect(findSpikes(yearly, [12]).places).toHaveLength(0)
  const wandering = months(120).map((value, t) => {
    return t % 12 === 3 + (Math.floor(t / 12) % 2) ? value + 500 : value
  })
  expect(findSpikes(wandering, [12]).places).toHaveLength(0)
  const weeks = months(400).map((value, t) => {
    return t % 52 === 30 + (Math.floor(t / 52) % 2) ? value + 500 : value
  })
  expect(findSpikes(weeks, [52]).places).toHaveLength(0)
  const shifted = months(120).map((value, t) => (t < 90 ? value : value + 500))
  expect(findSpikes(shifted, [12]).places).toHaveLength(0)
  for (const late of [1, 2, 3]) {
    const ends = months(120)
    ends[120 - late] = 900
    expect(findSpikes(ends, [12]).places).toHaveLength(0)
  }
})

test('three days in a row of a long series are a spike, a week is not', () => {
  for (const [length, found] of [
    [3, 3],
    [7, 0],
  ] as const) {
    const y = months(500)
    for (let t = 300; t < 300 + length; t++) y[t] = 2_000 + 100 * t
    expect(findSpikes(y, []).places).toHaveLength(found)
  }
})

test.each<[string, number, (random: TestRandom) => number]>([
  ['normal', 0, (random) => random.normal()],
  ['of four degrees of freedom', 50, heavy(4)],
  ['of three degrees of freedom', 100, heavy(3)],
])('noise that is %s is taken for a spike in less than one value of 1,000', (_, most, draw) => {
  const random = makeRandom(11)
  let found = 0
  for (let i = 0; i < 500; i++) {
    const y = Float64Array.from({ length: 200 }, () => 100 + draw(random))
    found += findSpikes(y, []).places.length
  }
  expect(found).toBeLessThanOrEqual(most)
})

test('a gap is no spike and has none beside it, and few values have none at all', () => {
  const y = months(96)
  for (const t of [30, 31, 60]) y[t] = Number.NaN
  expect(findSpikes(y, [12]).places).toHaveLength(0)
  const few = Float64Array.from({ length: 20 }, (_, t) => (t === 10 ? 1e6 : t))
  expect(findSpikes(few, []).places).toHaveLength(0)
})

test('a repair holds for the value it was made for, at its place alone', () => {
  const repairs = {
    places: Int32Array.of(2),
    originals: Float64Array.of(9),
    substitutes: Float64Array.of(3),
  }
  expect([...repaired(Float64Array.of(1, 2, 9, 4), repairs, 0)]).toEqual([1, 2, 3, 4])
  expect([...repaired(Float64Array.of(9, 4), repairs, 2)]).toEqual([3, 4])
  const other = Float64Array.of(9, 2, 8, 9)
  expect(repaired(other, repairs, 0)).toBe(other)
})

test('a spike near the end hardly moves the forecast, and the report says what was done', () => {
  const clean = months(120)
  const spoilt = clean.slice()
  spoilt[114] = 1_500
  const { value, report } = fit(spoilt)
  expect(report.repairs).toEqual([expect.stringMatching(/^Value 114 is 1500; members saw \d/)])
  expect(report.summary).toContain('One spike was not shown to the members')
  expect(fit(clean).report).not.toHaveProperty('repairs')
  const ask = { horizon: 12, quantiles: Float64Array.of(0.1, 0.9) }
  const without = doneValue(forecastModel(fit(clean).value, ask, run)).point
  const point = doneValue(forecastModel(value, ask, run)).point
  for (let h = 0; h < 12; h++) expect(Math.abs(point[h]! - without[h]!)).toBeLessThan(5)
})

test('filter and update repair as the fit did, wherever the series is cut', () => {
  const y = months(120)
  y[70] = 1_500
  const { value } = fit(y)
  const filtered = doneValue(filterModel(value, { y, seasons: [12] }))
  expect(encodeModel(filtered)).toEqual(encodeModel(value))
  for (const cut of [40, 70, 71, 119]) {
    const begun = doneValue(filterModel(value, { y: y.subarray(0, cut), seasons: [12] }))
    const moved = doneValue(updateModel(begun, { y: y.subarray(cut) }))
    expect(encodeModel(moved), `cut at ${cut}`).toEqual(encodeModel(value))
  }
  const later = doneValue(updateModel(value, { y: Float64Array.of(1_500, 160) }))
  const whole = Float64Array.of(...y, 1_500, 160)
  expect(encodeModel(doneValue(filterModel(value, { y: whole, seasons: [12] })))).toEqual(
    encodeModel(later),
  )
})

function fit(y: Float64Array): { value: AnyModel; report: Report } {
  const spec = doneValue(parseSpec({ family: 'automatic' }))
  const outcome = fitModel({ y, seasons: [12] }, spec, run)
  if (outcome.kind === 'refused') throw new Error(outcome.reason.detail)
  return outcome
}

function months(length: number): Float64Array {
  const random = makeRandom(9)
  return Float64Array.from(
    { length },
    (_, t) => 100 + 0.2 * t + 12 * Math.sin((2 * Math.PI * t) / 12) + 3 * random.normal(),
  )
}

/** Student's t. */
function heavy(degrees: number): (random: TestRandom) => number {
  return (random) => {
    let sum = 0
    for (let i = 0; i < degrees; i++) sum += random.normal() ** 2
    return random.normal() / Math.sqrt(sum / degrees)
  }
}
