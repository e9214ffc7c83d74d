import type { Series } from '../../src/index.ts'
import { counts, days, growingSeason, walk } from './series.ts'

/** A spec with a series that it suits; every family of the engine has some. */
export type Case = {
  readonly name: string
  readonly spec: Readonly<Record<string, unknown>>
  readonly series: Series
}

const monthly: Series = { y: growingSeason(120), seasons: [12] }
const plain: Series = { y: walk(80), seasons: [] }
const sparse: Series = { y: counts(90), seasons: [] }
const daily: Series = { y: days(900), seasons: [7, 365] }

const promotion = Float64Array.from({ length: 120 }, (_, t) => (t % 17 === 3 ? 1 : 0))
const promoted: Series = {
  y: monthly.y.map((value, t) => value + 40 * promotion[t]!),
  seasons: [12],
  x: { promotion },
}

/** By the family's name. */
export const cases: ReadonlyMap<string, readonly Case[]> = new Map([
  [
    'arima',
    [
      {
        name: 'an autoregression',
        spec: { p: 2, q: 1, differenceLag: 0, constant: true },
        series: plain,
      },
      {
        name: 'the difference of a year',
        spec: { p: 1, q: 1, differenceLag: 12 },
        series: monthly,
      },
      {
        name: 'the airline model',
        spec: { d: 1, q: 1, D: 1, Q: 1 },
        series: monthly,
      },
      {
        name: 'a seasonal autoregression with a regressor',
        spec: { p: 1, P: 1, constant: true, regressors: ['promotion'] },
        series: promoted,
      },
      { name: 'orders that are chosen', spec: { select: true }, series: plain },
      {
        name: 'a chosen transform and Fourier terms',
        spec: { p: 1, d: 1, boxCox: 'auto', fourier: [{ period: 12, pairs: 2 }] },
        series: monthly,
      },
    ],
  ],
  [
    'baseline',
    [
      { name: 'naive', spec: { method: 'naive' }, series: plain },
      { name: 'seasonal naive', spec: { method: 'seasonal-naive' }, series: monthly },
      { name: 'drift', spec: { method: 'drift' }, series: plain },
      { name: 'mean', spec: { method: 'mean' }, series: plain },
      { name: 'window', spec: { method: 'window', window: 5 }, series: plain },
    ],
  ],
  [
    'ets',
    [
      { name: 'chosen', spec: {}, series: monthly },
      {
        name: 'A, Ad, A',
        spec: { error: 'A', trend: 'A', damped: true, season: 'A' },
        series: monthly,
      },
      {
        name: 'M, A, M',
        spec: { error: 'M', trend: 'A', damped: false, season: 'M' },
        series: monthly,
      },
      {
        name: 'A, N, N',
        spec: { error: 'A', trend: 'N', damped: false, season: 'N' },
        series: plain,
      },
    ],
  ],
  [
    'theta',
    [
      { name: 'chosen', spec: {}, series: monthly },
      { name: 'without a season', spec: {}, series: plain },
    ],
  ],
  [
    'ces',
    [
      { name: 'chosen', spec: {}, series: monthly },
      { name: 'without a season', spec: { season: 'none' }, series: plain },
    ],
  ],
  ['croston', [{ name: 'counts', spec: {}, series: sparse }]],
  ['tsb', [{ name: 'counts', spec: {}, series: sparse }]],
  [
    'mstl',
    [
      { name: 'one season', spec: {}, series: monthly },
      { name: 'a week and a year', spec: {}, series: daily },
    ],
  ],
  [
    'additive',
    [
      { name: 'one season', spec: {}, series: monthly },
      { name: 'a regressor', spec: {}, series: promoted },
    ],
  ],
  [
    'automatic',
    [
      { name: 'months', spec: {}, series: monthly },
      { name: 'no season', spec: {}, series: plain },
      { name: 'counts', spec: {}, series: sparse },
      { name: 'a few points', spec: {}, series: { y: walk(9), seasons: [] } },
      { name: 'a season that has to be found', spec: {}, series: { y: growingSeason(96) } },
    ],
  ],
])
