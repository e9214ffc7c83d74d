import { describe, expect, test } from 'vitest'
import type { AdditiveModel } from '../../src/additive/model.ts'
import {
  type AnyModel,
  type Calendar,
  explainModel,
  filterModel,
  fitModel,
  forecastModel,
  parseSpec,
  type Series,
  updateModel,
} from '../../src/index.ts'
import { normalAt } from '../../src/numeric/random.ts'
import { zoneFrom } from '../../src/series/zone-table.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { daily, fairs, promotedDays } from './series.ts'

const run = { seed: 5, workMax: 1e10 }
const none = new Float64Array(0)
const hour = 3_600_000
const specOf = (fields: object) => doneValue(parseSpec({ family: 'additive', ...fields }))
const fitted = (series: Series, fields: object = {}) =>
  doneValue(fitModel(series, specOf(fields), run)) as AdditiveModel
const partsOf = (model: AnyModel, horizon: number) =>
  doneValue(explainModel(model, { ask: { horizon, quantiles: none } })).parts
const namesOf = (model: AdditiveModel) =>
  model.design.seasons.map(({ name, order }) => [name, order])
const noisy = (n: number) => Float64Array.from({ length: n }, (_, t) => 10 + normalAt(3, 0, t))
const calendarOf = (step: Calendar['step'], start = Date.UTC(2020, 0, 1)): Calendar => ({
  start,
  step,
})
const unit = (name: 'day' | 'week' | 'month' | 'quarter' | 'year') =>
  calendarOf({ kind: 'calendar', unit: name, count: 1 })

describe('seasons', () => {
  test('come with two periods of dates, of orders that the steps can show', () => {
    const of = (n: number, calendar: Calendar) => namesOf(fitted({ y: noisy(n), calendar }))
    expect(of(730, unit('day'))).toEqual([['weekly', 3]])
    expect(of(731, unit('day'))).toEqual([
      ['yearly', 10],
      ['weekly', 3],
    ])
    expect(of(14, unit('day'))).toEqual([])
    expect(of(15, unit('day'))).toEqual([['weekly', 3]])
    expect(of(110, unit('week'))).toEqual([['yearly', 10]])
    expect(of(48, unit('month'))).toEqual([['yearly', 6]])
    expect(of(40, unit('quarter'))).toEqual([['yearly', 2]])
    expect(of(40, unit('year'))).toEqual([])
    expect(of(400, calendarOf({ kind: 'fixed', ms: hour }))).toEqual([
      ['weekly', 3],
      ['daily', 4],
    ])
  })

  test('are those of the series without a calendar, and those of the spec besides', () => {
    const y = noisy(100)
    expect(namesOf(fitted({ y, seasons: [7, 60] }))).toEqual([['season-7', 3]])
    expect(namesOf(fitted({ y, seasons: [7] }, { seasons: [] }))).toEqual([])
    const seasons = [
      { name: 'shift', period: 9 },
      { name: 'moon', days: 29.53, order: 2 },
    ]
    expect(namesOf(fitted({ y, calendar: unit('day') }, { seasons, weekly: 0 }))).toEqual([
      ['shift', 4],
      ['moon', 2],
    ])
  })

  test('of a day follow the local time of day when clocks change', () => {
    const zone = zoneFrom('Europe/Berlin', Date.UTC(2023, 11, 1))!
    const start = Date.UTC(2024, 2, 10, 23)
    const calendar = calendarOf({ kind: 'fixed', ms: hour, zone }, start)
    // Work begins at nine, local time; clocks go forward on day 20.
    const local = (t: number) => (t + (start + t * hour >= Date.UTC(2024, 2, 31, 1) ? 1 : 0)) % 24
    const y = Float64Array.from(
      { length: 24 * 60 },
      (_, t) => 100 + 10 * Math.cos((2 * Math.PI * (local(t) - 9)) / 24) + 0.1 * normalAt(4, 0, t),
    )
    const spread = (of: Calendar) => fitted({ y, calendar: of }, { weekly: 0 }).sigma
    expect(spread(calendar)).toBeLessThan(0.002)
    expect(spread(calendarOf({ kind: 'fixed', ms: hour }, start))).toBeGreaterThan(0.005)
  })
})

describe('holidays', () => {
  const { y, calendar } = promotedDays()
  const holidays = [{ name: 'fair', dates: fairs, lowerWindow: -1, upperWindow: 1 }]

  test('have an effect on each day of their window, and on no other', () => {
    const model = fitted({ y, calendar }, { holidays })
    const { fair } = doneValue(explainModel(model, { series: { y, calendar } })).parts
    const days = fairs.map((date) => (Date.parse(date) - daily.start) / 86_400_000)
    for (const [t, effect] of fair!.entries()) {
      const near = days.some((day) => Math.abs(t - day) <= 1)
      expect(effect !== 0, `day ${t}`).toBe(near)
    }
    expect(fair![days[0]!]).toBeGreaterThan(8)
    expect(fair![days[0]! + 1]).toBeGreaterThan(1.5)
    expect(fair![days[0]!]).toBeCloseTo(fair![days[3]!]!, 9)
  })

  test('are the same as dates and as numbers of steps, which need no calendar', () => {
    const steps = fairs.map((date) => (Date.parse(date) - daily.start) / 86_400_000)
    const plain = { yearly: 0, weekly: 0, daily: 0 }
    const dated = fitted({ y, calendar }, { ...plain, holidays: [{ name: 'fair', dates: fairs }] })
    const stepped = fitted({ y }, { ...plain, holidays: [{ name: 'fair', dates: steps }] })
    expect(stepped.betas[0]).toBeCloseTo(dated.betas[0]!, 9)
  })

  test('ahead are known by their dates', () => {
    const dates = [...fairs, '2023-02-06']
    const model = fitted({ y, calendar }, { holidays: [{ name: 'fair', dates }] })
    const { fair } = partsOf(model, 20)
    expect([...fair!.keys()].filter((h) => fair![h] !== 0)).toEqual([7])
  })

  test('in a longer step are one of the step', () => {
    const dates = ['2020-04-12', '2021-04-04', '2022-04-17', '2023-04-09', '2024-03-31']
    const months = Float64Array.from(
      { length: 50 },
      (_, t) =>
        // The month of Easter: April until 2023.
        20 + (t % 12 === 3 && t < 48 ? 5 : 0) + 0.1 * normalAt(6, 0, t),
    )
    const series = { y: months, calendar: unit('month') }
    const model = fitted(series, { yearly: 0, holidays: [{ name: 'easter', dates }] })
    const { easter } = doneValue(explainModel(model, { series })).parts
    const on = [...easter!.keys()].filter((t) => easter![t] !== 0)
    expect(on).toEqual([3, 15, 27, 39])
    expect(partsOf(model, 1).easter![0]).toBe(easter![3])
  })
})

describe('changepoints', () => {
  test('that are given are taken, as dates or as steps', () => {
    const { y, calendar } = promotedDays()
    const bent = (changepoints: unknown) => fitted({ y, calendar }, { changepoints })
    const dated = bent(['2021-12-26'])
    expect([...dated.trend.changepoints]).toEqual([300 / 699])
    expect(bent([300])).toMatchObject({ trend: { deltas: dated.trend.deltas } })
    expect(dated.trend.deltas[0]).toBeLessThan(0)
    expect(bent([]).trend.deltas.length).toBe(0)
  })

  test('that are spread fall on even steps where two are as near, as in the reference', () => {
    const { changepoints } = fitted({ y: noisy(8) }, { changepointCount: 2 }).trend
    expect([...changepoints]).toEqual([2 / 7, 5 / 7])
  })

  test('of a smaller prior scale bend the trend less', () => {
    const { y } = promotedDays()
    const bend = (changepointPriorScale: number) =>
      fitted({ y }, { changepointPriorScale }).trend.deltas.reduce((sum, d) => sum + Math.abs(d), 0)
    expect(bend(0.001)).toBeLessThan(bend(0.05))
    expect(bend(0.05)).toBeLessThan(bend(5))
  })
})

test('a series that begins elsewhere in the calendar of its model is placed there', () => {
  const { y, calendar } = promotedDays()
  const model = fitted({ y, calendar })
  const later = {
    y: y.slice(100),
    calendar: { ...calendar, start: daily.start + 100 * 86_400_000 },
  }
  const ask = { horizon: 10, quantiles: none }
  const placed = doneValue(filterModel(model, later))
  expect(forecastModel(placed, ask, run)).toEqual(forecastModel(model, ask, run))
  const between = { ...later, calendar: { ...calendar, start: daily.start + 1 } }
  expect(refusalOf(filterModel(model, between)).field).toBe('/calendar/start')
})

test('an update moves the end on and leaves the parameters', () => {
  const { y, calendar } = promotedDays()
  const model = fitted({ y: y.slice(0, 600), calendar })
  const moved = doneValue(updateModel(model, { y: y.slice(600, 650) })) as AdditiveModel
  expect(moved).toEqual({ ...model, length: 650, observations: 650 })
  const long = doneValue(forecastModel(model, { horizon: 60, quantiles: none }, run)).point
  const short = doneValue(forecastModel(moved, { horizon: 10, quantiles: none }, run)).point
  expect(short).toEqual(long.slice(50))
})

describe('refused are', () => {
  const y = noisy(50)
  test.each<[string, object, string]>([
    [
      'dates without a calendar',
      { holidays: [{ name: 'a', dates: ['2020-01-01'] }] },
      'no-calendar',
    ],
    ['an asked yearly season without a calendar', { yearly: 3 }, 'no-calendar'],
    ['a regressor that is not there', { regressors: [{ name: 'price' }] }, 'missing-regressor'],
    [
      'more columns than can tell anything',
      { seasons: Array.from({ length: 4 }, (_, i) => ({ name: `${i}`, period: 9, order: 100 })) },
      'too-many',
    ],
  ])('%s', (_, fields, code) => {
    expect(refusalOf(fitModel({ y }, specOf(fields), run)).code).toBe(code)
  })

  test.each<[object, string]>([
    [{ growth: 'logistic' }, '/capacity'],
    [{ growth: 'logistic', capacity: 1, floor: 2 }, '/capacity'],
    [{ capacity: 5 }, '/capacity'],
    [{ seasons: [{ name: 'a' }] }, '/seasons/0/period'],
    [{ seasons: [{ name: 'a', period: 3, days: 3 }] }, '/seasons/0/period'],
    [{ seasons: [{ period: 3 }] }, '/seasons/0/name'],
    [{ seasons: [{ name: 'a', period: 3, colour: 1 }] }, '/seasons/0'],
    [{ holidays: [{ name: 'trend', dates: [] }] }, '/holidays/0/name'],
    [{ holidays: [{ name: 'a', dates: ['2023-02-30'] }] }, '/holidays/0/dates/0'],
    [{ holidays: [{ name: 'a', dates: [1.5] }] }, '/holidays/0/dates/0'],
    [{ changepoints: ['soon'] }, '/changepoints/0'],
    [{ paths: 1 }, '/paths'],
  ])('the spec %o', (fields, field) => {
    expect(refusalOf(parseSpec({ family: 'additive', ...fields })).field).toBe(field)
  })

  test('a calendar that cannot be counted, and a regressor with the name of a part', () => {
    const broken = { y, calendar: calendarOf({ kind: 'fixed', ms: 0 }) }
    expect(refusalOf(fitModel(broken, specOf({}), run)).field).toBe('/calendar/step/ms')
    expect(refusalOf(fitModel({ y, x: { trend: y } }, specOf({}), run)).field).toBe('/x')
  })

  test('a forecast without the values of a regressor', () => {
    const model = fitted({ y, x: { price: noisy(50) } })
    const ask = { horizon: 3, quantiles: none }
    expect(refusalOf(forecastModel(model, ask, run)).field).toBe('/future/price')
    const future = { price: Float64Array.of(1, 2, 3) }
    expect(doneValue(forecastModel(model, { ...ask, future }, run)).point.length).toBe(3)
  })
})
