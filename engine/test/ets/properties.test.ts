import { describe, expect, test } from 'vitest'
import { etsAt } from '../../src/ets/fit.ts'
import {
  type AnyModel,
  encodeModel,
  explainModel,
  filterModel,
  fitModel,
  forecastModel,
  levelQuantiles,
  parseSpec,
  simulateModel,
  updateModel,
} from '../../src/index.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { etsSpecOf, formNames, formOf, makeSeries } from './forms.ts'

const run = { seed: 1, workMax: 1e9 }
const automatic = doneValue(parseSpec({ family: 'ets' }))
const seasons = [4]
const ask = { horizon: 12, quantiles: levelQuantiles([80, 95]) }

function reported(y: Float64Array, spec = automatic) {
  const fit = fitModel({ y, seasons }, spec, run)
  if (fit.kind !== 'done') throw new Error(fit.kind === 'refused' ? fit.reason.detail : fit.kind)
  return fit
}

function closeTo(actual: Float64Array, expected: Float64Array, within: number): void {
  const size = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  actual.forEach((value, at) => {
    expect(Math.abs(value - expected[at]!), `at ${at}`).toBeLessThan(within * size)
  })
}

describe('a series in other units', () => {
  const y = makeSeries(11, 48, 4)

  test.each(formNames)('%s: times a power of two, all is times that, to the bit', (name) => {
    const plain = doneValue(forecastModel(reported(y, etsSpecOf(name)).value, ask))
    const larger = y.map((value) => value * 1_024)
    const scaled = doneValue(forecastModel(reported(larger, etsSpecOf(name)).value, ask))
    expect(scaled.point).toEqual(plain.point.map((value) => value * 1_024))
    expect(scaled.quantiles).toEqual(plain.quantiles.map((value) => value * 1_024))
  })

  test.each(formNames)('%s: times 3.7, all is times 3.7', (name) => {
    const plain = doneValue(forecastModel(reported(y, etsSpecOf(name)).value, ask))
    const larger = y.map((value) => value * 3.7)
    const scaled = doneValue(forecastModel(reported(larger, etsSpecOf(name)).value, ask))
    closeTo(
      scaled.quantiles,
      plain.quantiles.map((value) => value * 3.7),
      2e-4,
    )
  })

  test.each(formNames.filter((name) => name.startsWith('A')))(
    '%s: times -2 and moved by 500, the forecast is, too',
    (name) => {
      const plain = doneValue(forecastModel(reported(y, etsSpecOf(name)).value, ask))
      const moved = y.map((value) => 500 - 2 * value)
      const other = doneValue(forecastModel(reported(moved, etsSpecOf(name)).value, ask))
      closeTo(
        other.point,
        plain.point.map((value) => 500 - 2 * value),
        2e-4,
      )
    },
  )

  test.each([1e-150, 1e-30, 1e30, 1e145])(
    '%s as large, it is fitted and forecast alike',
    (unit) => {
      const plain = reported(y)
      const other = reported(y.map((value) => value * unit))
      expect(other.report.form).toBe(plain.report.form)
      const [a, b] = [plain, other].map((fit) => doneValue(forecastModel(fit.value, ask)).point)
      closeTo(
        b!.map((value) => value / unit),
        a!,
        1e-3,
      )
    },
  )
})

describe('missing values', () => {
  test.each(formNames)('%s: a gap costs no likelihood, the state moves on as expected', (name) => {
    const y = makeSeries(5, 40, 4)
    const spec = etsSpecOf(name)
    const form = formOf(name, 4)
    const phi = form.trend === 'N' ? 0 : form.damped ? 0.9 : 1
    const smoothing = Float64Array.of(
      0.4,
      form.trend === 'N' ? 0 : 0.1,
      form.season === 'N' ? 0 : 0.2,
      phi,
    )
    const seasonStates = { N: [0], A: [1, 10, -1, -10], M: [1, 1.2, 1, 0.8] }[form.season]
    const states = Float64Array.of(100, form.trend === 'N' ? 0 : 0.5, ...seasonStates)
    const gappy = y.map((value, t) => (t >= 20 && t < 23 ? Number.NaN : value))
    const at = etsAt({ y: gappy, seasons }, spec, form, smoothing, states)
    // What was expected in the gap, put there, leaves the same state.
    const { total } = doneValue(explainModel(at.model, { series: { y: gappy, seasons } }))
    const filled = gappy.map((value, t) => (Number.isNaN(value) ? total[t]! : value))
    const whole = etsAt({ y: filled, seasons }, spec, form, smoothing, states)
    closeTo(at.model.state, whole.model.state, 1e-12)
    expect(at.model.observations).toBe(37)
    expect(Number.isFinite(at.logLikelihood)).toBe(true)
  })

  test('at the end are steps of the forecast, with their width', () => {
    const y = makeSeries(5, 60, 4)
    const model = reported(y).value
    const later = doneValue(updateModel(model, { y: new Float64Array(3).fill(Number.NaN) }))
    const long = doneValue(forecastModel(model, ask))
    const short = doneValue(forecastModel(later, { ...ask, horizon: 9 }))
    expect(short.point).toEqual(long.point.slice(3))
    expect(short.quantiles).toEqual(long.quantiles.slice(12))
  })

  test.each(formNames)('%s: an update after a gap equals filtering all, to the byte', (name) => {
    const y = makeSeries(6, 60, 4)
    y.fill(Number.NaN, 38, 43)
    const begun = reported(y.slice(0, 40), etsSpecOf(name)).value
    const filtered = doneValue(filterModel(begun, { y, seasons }))
    const updated = doneValue(updateModel(begun, { y: y.slice(40) }))
    expect(encodeModel(updated)).toEqual(encodeModel(filtered))
  })
})

describe('distributions', () => {
  const y = makeSeries(21, 60, 4)

  test.each(formNames)('%s: simulated means and variances are the analytic ones', (name) => {
    const { value: model } = reported(y, etsSpecOf(name))
    const [paths, horizon] = [20_000, 10]
    const score = { horizon, quantiles: Float64Array.of(0.158655253931457) }
    const forecast = doneValue(forecastModel(model, score))
    const values = doneValue(simulateModel(model, { ...ask, horizon }, paths, { ...run, seed: 5 }))
    for (let h = 0; h < horizon; h++) {
      let [mean, squares] = [0, 0]
      for (let p = 0; p < paths; p++) mean += values[p * horizon + h]! / paths
      for (let p = 0; p < paths; p++) squares += (values[p * horizon + h]! - mean) ** 2 / paths
      const deviation = forecast.point[h]! - forecast.quantiles[h]!
      expect(Math.abs(mean - forecast.point[h]!) / deviation, `mean ${h}`).toBeLessThan(0.04)
      expect(Math.abs(Math.sqrt(squares) / deviation - 1), `spread ${h}`).toBeLessThan(0.03)
    }
  })

  test('of a damped trend stay finite for 500 steps, the mean by a bound', () => {
    const rising = y.map((value, t) => value + 2 * t)
    const { value: model, report } = reported(rising, etsSpecOf('AAdN'))
    const { point, quantiles } = doneValue(forecastModel(model, { ...ask, horizon: 500 }))
    expect(quantiles.every(Number.isFinite)).toBe(true)
    const phi = Number(report.phi)
    const gain = (point[1]! - point[0]!) / (1 - phi)
    expect(Math.abs(point[499]! - point[0]!)).toBeLessThanOrEqual(Math.abs(gain) * (1 + 1e-9))
  })

  test.each(['MNN', 'MAN', 'MAdM', 'MAM'])(
    '%s: simulated values stay above zero and finite, even where the level falls to nothing',
    (name) => {
      const falling = makeSeries(9, 40, 4).map((value, t) => value * Math.exp(-0.12 * t))
      const { value: model } = reported(falling, etsSpecOf(name))
      const values = doneValue(simulateModel(model, { ...ask, horizon: 500 }, 200, run))
      expect(values.every((value) => value > 0 && Number.isFinite(value))).toBe(true)
    },
  )
})

describe('parts', () => {
  test.each(formNames)('%s: level, trend and season add up, with their meaning', (name) => {
    const y = makeSeries(31, 48, 4)
    const { value: model } = reported(y, etsSpecOf(name))
    for (const what of [{ series: { y, seasons } }, { ask }]) {
      const { total, parts } = doneValue(explainModel(model, what))
      const { level, trend, season } = parts
      total.forEach((value, t) => {
        const sum = level![t]! + trend![t]! + season![t]!
        expect(Math.abs(sum - value)).toBeLessThanOrEqual(1e-9 * Math.abs(value))
      })
      if (name[1] === 'N') expect(trend!.every((value) => value === 0)).toBe(true)
      if (name.endsWith('N')) expect(season!.every((value) => value === 0)).toBe(true)
    }
  })
})

describe('a spec', () => {
  const y = makeSeries(2, 60, 4)

  test('leaves multiplicative forms out for values that are not above zero', () => {
    const { report } = reported(y.map((value) => value - 100))
    expect(report.form).toMatch(/^ETS\(A,.*,[NA]\)$/)
    expect(report.candidates?.filter(({ refused }) => refused !== undefined).length).toBe(9)
    const shifted = { y: y.map((value) => value - 100), seasons }
    expect(refusalOf(fitModel(shifted, etsSpecOf('MNN'), run)).code).toBe('not-positive')
  })

  test.each([1, 2, 3, 4])('scores every form as well as a fit of that form alone: %s', (seed) => {
    const y = makeSeries(seed, 50, 4).map((value, t) => (seed === 4 ? 10 * (t % 4) + 1 : value))
    const { candidates = [] } = reported(y).report
    expect(candidates.map(({ name }) => name)).toHaveLength(15)
    for (const { name, aicc } of candidates) {
      const alone = reported(y, etsSpecOf(name.replace(/ETS|\W/g, '')))
      expect(aicc, name).toBeLessThan(Number(alone.report.aicc) + 4)
    }
    const best = candidates.reduce((least, { aicc = least }) => Math.min(least, aicc), Infinity)
    expect(reported(y).report.aicc).toBeCloseTo(best, 9)
  })

  test('takes a long season when asked, and leaves it out, saying so, when not', () => {
    const daily = makeSeries(8, 200, 30)
    const asked = fitModel({ y: daily, seasons: [30] }, etsSpecOf('ANA'), run)
    expect(asked).toMatchObject({ kind: 'done', report: { form: 'ETS(A,N,A)', seasonLength: 30 } })
    const left = fitModel({ y: daily, seasons: [30] }, automatic, run)
    if (left.kind !== 'done') throw new Error(left.kind)
    expect(left.report.form).toMatch(/N\)$/)
    expect(left.report.summary).toContain('season of 30')
  })

  test.each([
    [{ error: 'A', season: 'M' }, '/error'],
    [{ trend: 'N', damped: true }, '/damped'],
    [{ season: 'A', seasonLength: 1 }, '/seasonLength'],
    [{ trend: 'M' }, '/trend'],
    [{ seasonLength: 1_000 }, '/seasonLength'],
  ])('that contradicts itself is refused: %j', (fields, field) => {
    expect(refusalOf(parseSpec({ family: 'ets', ...fields })).field).toBe(field)
  })

  test('is searched within its bounds: wider ones are never worse', () => {
    for (const name of ['AAN', 'ANA', 'AAdA', 'MAM']) {
      const [usual, both, admissible] = (['usual', 'both', 'admissible'] as const).map((bounds) =>
        Number(reported(y, etsSpecOf(name, { bounds })).report.logLikelihood),
      )
      expect(both!).toBeLessThanOrEqual(usual! + 1e-6)
      expect(admissible!).toBeGreaterThanOrEqual(both! - 1e-3)
    }
  })

  test('of few observations takes what they allow, down to three', () => {
    for (let n = 3; n < 20; n++) {
      const fit = reported(y.slice(0, n))
      const forecast = doneValue(forecastModel(fit.value, ask))
      expect(forecast.quantiles.every(Number.isFinite)).toBe(true)
    }
    expect(refusalOf(fitModel({ y: y.slice(0, 2) }, automatic, run)).code).toBe('too-short')
  })
})

describe('a fit', () => {
  const y = makeSeries(3, 120, 4)

  test('that is asked to stop returns the best so far, marked so', () => {
    for (const limit of [1, 2, 5, 20]) {
      let polls = 0
      const shouldStop = () => ++polls >= limit
      const fit = fitModel({ y, seasons }, automatic, { ...run, shouldStop })
      if (fit.kind !== 'stopped') throw new Error(fit.kind)
      expect(fit.report).toMatchObject({ stopped: 'as asked', converged: 'no' })
      usable(fit.value)
    }
  })

  test('that has spent its budget stops, at the same place each time', () => {
    const fits = [0, 1].map(() => fitModel({ y, seasons }, automatic, { ...run, workMax: 20_000 }))
    const [first, second] = fits.map((fit) => {
      if (fit.kind !== 'stopped') throw new Error(fit.kind)
      usable(fit.value)
      return encodeModel(fit.value)
    })
    expect(first).toEqual(second)
  })

  test('of a constant repeats it without width; of a constant and dust stays finite', () => {
    const flat = reported(new Float64Array(30).fill(21.7))
    const forecast = doneValue(forecastModel(flat.value, ask))
    expect(new Set([...forecast.point, ...forecast.quantiles])).toEqual(new Set([21.7]))
    const dusty = reported(y.map((value, t) => 5 + 1e-12 * Math.sin(value * t)))
    const { point, quantiles } = doneValue(forecastModel(dusty.value, ask))
    for (const value of [...point, ...quantiles]) expect(Math.abs(value - 5)).toBeLessThan(1e-9)
  })
})

function usable(model: AnyModel): void {
  const { point, quantiles } = doneValue(forecastModel(model, ask))
  expect([...point, ...quantiles].every(Number.isFinite)).toBe(true)
}
