import { describe, expect, test } from 'vitest'
import {
  type AnyModel,
  type Candidate,
  encodeModel,
  filterModel,
  fitModel,
  forecastModel,
  levelQuantiles,
  type Outcome,
  parseSpec,
  type Report,
  type Series,
  simulateModel,
  updateModel,
} from '../../src/index.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { makeRandom } from '../random.ts'
import { readSampleData } from '../sample-data.ts'

const run = { seed: 1, workMax: 1e9 }
const ask = { horizon: 12, quantiles: levelQuantiles([80, 95]) }
const missing = Number.NaN

describe('the rung of a series', () => {
  test('of one value, or of zeros alone, repeats it without width and says so', () => {
    for (const [y, why] of [
      [[7], 'every value is the same'],
      [[missing, 5, missing], 'every value is the same'],
      [[4, 4, 4, 4, 4, 4], 'every value is the same'],
      [[0, 0, 0, 0], 'every value is zero'],
    ] as const) {
      const { value, report } = fit({ y: Float64Array.from(y) })
      expect(report).toMatchObject({ rung: 'constant', summary: expect.stringContaining(why) })
      const { point, quantiles } = doneValue(forecastModel(value, ask, run))
      const only = y.find((one) => !Number.isNaN(one))
      expect(new Set([...point, ...quantiles])).toEqual(new Set([only]))
    }
  })

  test('of two or three observations is naive', () => {
    const { report } = fit({ y: Float64Array.of(1, 2, 4) })
    expect(report).toMatchObject({ rung: 'few', candidates: [{ name: 'naive', weight: 1 }] })
  })

  test('of four to twelve observations is damped smoothing and theta', () => {
    for (const length of [6, 12]) {
      const { report } = fit({ y: walk(length), seasons: [12] })
      expect(report.rung).toBe('short')
      expect(weighted(report)).toEqual(['damped-ets', 'theta'])
      expect(report.summary).toContain('A season of 12 is too long')
    }
  })

  test('of demand with zeros between is that of intermittent demand', () => {
    const random = makeRandom(3)
    const y = Float64Array.from({ length: 80 }, () =>
      random.uniform() < 0.25 ? random.integer(1, 9) : 0,
    )
    const { value, report } = fit({ y })
    expect(report.rung).toBe('intermittent')
    expect(weighted(report)).toEqual(['croston-sba', 'tsb'])
    expect(report.summary).toContain('% of the values since the first demand are zero')
    const { point } = doneValue(forecastModel(value, ask, run))
    expect(point.every((rate) => rate > 0 && rate < 9)).toBe(true)
  })

  test('of what is sold from some day on is no forecast of intermittent demand', () => {
    const random = makeRandom(6)
    const y = Float64Array.from({ length: 80 }, (_, t) => (t < 40 ? 0 : random.between(900, 1_100)))
    const { value, report } = fit({ y })
    expect(report.rung).toBe('plain')
    const { point } = doneValue(forecastModel(value, ask, run))
    expect(point.every((rate) => rate > 850 && rate < 1_250)).toBe(true)
  })

  test('of zeros that come with a season is not intermittent', () => {
    const random = makeRandom(4)
    const y = Float64Array.from({ length: 24 * 21 }, (_, t) => {
      const sun = Math.sin((2 * Math.PI * ((t % 24) - 6)) / 24)
      return sun > 0 ? 100 * sun * random.between(0.7, 1) : 0
    })
    expect(fit({ y, seasons: [24] }).report.rung).toBe('plain')
  })

  test('of an ordinary series is the median of four', () => {
    const { report } = fit({ y: months(72), seasons: [12] })
    expect(report.rung).toBe('plain')
    expect(report.candidates).toHaveLength(4)
    const names = weighted(report)
    expect(report.summary).toMatch(new RegExp(`^The median of .*${names.at(-1)}: 72 observations`))
  })

  test('of a year of days is made for long seasons, found where nobody gave one', () => {
    const y = readSampleData()
    const { value, report } = fit({ y })
    expect(report).toMatchObject({ rung: 'long-season', seasons: ['365'] })
    expect(report.summary).toContain('Nobody gave a season; 365 was found')
    expect(encodeModel(value).length).toBeLessThan(100_000)
    const { point } = doneValue(forecastModel(value, { ...ask, horizon: 365 }, run))
    // The forecast begins in January, the summer of Melbourne, and passes through July.
    expect(mean(point.subarray(0, 30)) - mean(point.subarray(180, 210))).toBeGreaterThan(5)
  })
})

test('demands have no forecast below zero: neither point, quantile nor path', () => {
  const random = makeRandom(12)
  for (let i = 0; i < 20; i++) {
    const y = Float64Array.from({ length: 30 + 5 * i }, () =>
      random.uniform() < 0.3 ? random.integer(1, 4) : 0,
    )
    y[2] = 3
    const { value, report } = fit({ y, seasons: [] })
    expect(report.rung).toBe('intermittent')
    const wide = { horizon: 12, quantiles: Float64Array.of(0.005, 0.1, 0.5, 0.9, 0.995) }
    for (const point of ['median', 'mean'] as const) {
      const forecast = doneValue(forecastModel(value, { ...wide, point }, run))
      expect(Math.min(...forecast.point, ...forecast.quantiles)).toBeGreaterThanOrEqual(0)
      expect(forecast.quantiles[4]).toBeGreaterThan(0)
    }
    const paths = doneValue(simulateModel(value, { horizon: 12, quantiles: none }, 200, run))
    expect(paths.reduce((least, one) => Math.min(least, one))).toBeGreaterThanOrEqual(0)
  }
})

const none = new Float64Array(0)

test('members that are asked for are the members, and one that cannot is named with its reason', () => {
  const spec = doneValue(parseSpec({ family: 'automatic', members: ['drift', 'tsb', 'mean'] }))
  const y = months(48).map((value) => value - 100)
  const outcome = fitModel({ y, seasons: [12] }, spec, run)
  if (outcome.kind === 'refused') throw new Error(outcome.reason.detail)
  expect(weighted(outcome.report)).toEqual(['drift', 'mean'])
  const refused = candidates(outcome.report).find(({ name }) => name === 'tsb')
  expect(refused?.refused).toMatch(/\w+/)
  expect(outcome.report.summary).toContain('tsb was not taken')
})

test('when all members refuse, a reserve answers', () => {
  const spec = doneValue(parseSpec({ family: 'automatic', members: ['tsb'] }))
  const outcome = fitModel({ y: walk(40).map((value) => value - 50) }, spec, run)
  expect(outcome.kind).toBe('done')
})

test('faults of a spec are refused by field', () => {
  const code = (spec: object) => refusalOf(parseSpec({ family: 'automatic', ...spec }))
  expect(code({ seasons: [12, 7] })).toMatchObject({ code: 'out-of-range', field: '/seasons' })
  expect(code({ members: [] })).toMatchObject({ code: 'out-of-range', field: '/members' })
  expect(code({ members: ['ets', 'ets'] })).toMatchObject({ field: '/members' })
  expect(code({ members: ['best'] })).toMatchObject({ field: '/members/0' })
  expect(code({ intervals: 'wide' })).toMatchObject({ field: '/intervals' })
})

test('a stopped fit answers with the members that had their turn', () => {
  let looks = 0
  const stop = { ...run, shouldStop: () => ++looks > 40 }
  const outcome = fitModel({ y: months(120), seasons: [12] }, automatic(), stop)
  expect(outcome.kind).toBe('stopped')
  doneValue(forecastModel(doneValue(outcome), ask, run))
})

test('the outcome is the same whatever the clock says: budgets are work, not time', () => {
  const poor = { ...run, workMax: 40_000 }
  const series = { y: months(60), seasons: [12] }
  const first = doneValue(fitModel(series, automatic(), poor))
  expect(encodeModel(doneValue(fitModel(series, automatic(), poor)))).toEqual(encodeModel(first))
})

test('only the newest values of a very long series are looked at, and updates go on from there', () => {
  const y = walk(30_000)
  const series: Series = { y, seasons: [] }
  const { value, report } = fit({ y: y.subarray(0, 29_990), seasons: [] })
  expect(report.skipped).toBe(19_990)
  expect(report.summary).toContain('after the first 19990 values')
  const updated = doneValue(updateModel(value, { y: y.subarray(29_990) }))
  expect(encodeModel(updated)).toEqual(encodeModel(doneValue(filterModel(value, series))))
  const short = filterModel(value, { y: y.subarray(0, 100) })
  expect(refusalOf(short).detail).toContain('after the first 19990 values')
  const newest = fit({ y: y.subarray(19_990, 29_990), seasons: [] }).value
  expect(forecastModel(newest, ask, run)).toEqual(forecastModel(value, ask, run))
})

function automatic() {
  return doneValue(parseSpec({ family: 'automatic' }))
}

function fit(series: Series): { value: AnyModel; report: Report } {
  const outcome: Outcome<AnyModel> = fitModel(series, automatic(), run)
  if (outcome.kind === 'refused') throw new Error(outcome.reason.detail)
  return outcome
}

function candidates(report: Report): readonly Candidate[] {
  return report.candidates ?? []
}

/** Names of those with a weight; the weights sum to one. */
function weighted(report: Report): string[] {
  const taken = candidates(report).filter(({ weight }) => weight !== undefined)
  expect(taken.reduce((sum, { weight = 0 }) => sum + weight, 0)).toBeCloseTo(1, 12)
  return taken.map(({ name }) => name)
}

function walk(length: number): Float64Array {
  const random = makeRandom(length)
  let level = 40
  return Float64Array.from({ length }, () => {
    level += random.normal()
    return level
  })
}

function months(length: number): Float64Array {
  const random = makeRandom(9)
  return Float64Array.from(
    { length },
    (_, t) => 100 + 0.5 * t + 12 * Math.sin((2 * Math.PI * t) / 12) + 3 * random.normal(),
  )
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
