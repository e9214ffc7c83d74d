import type { Series } from '../family.ts'
import { limits } from '../limits.ts'
import { type Form, needsPositive } from './form.ts'
import { positiveMin, type Smoothing } from './kernel.ts'
import type { EtsSpec } from './spec.ts'
import type { States } from './start.ts'

/**
 * A fitted model and where its series stands. Levels, trends and additive seasons live in units of
 * `scale`, a power of two, so that scaling rounds nothing. Models are immutable.
 */
export type EtsModel = {
  readonly family: 'ets'
  readonly spec: EtsSpec
  readonly form: Form
  readonly scale: number
  readonly smoothing: Smoothing
  /** Before the first observation. */
  readonly initial: States
  /** Variance of the error, in squared units of `scale` or relative to the fit. */
  readonly sigma2: number
  /** After the last observed value: level, trend, the seasons of the next m steps. */
  readonly state: States
  /** Missing values after the last observed one. */
  readonly pending: number
  readonly observations: number
  readonly missing: number
}

/** What a fit settles once, and an update keeps. */
export type EtsParameters = Pick<
  EtsModel,
  'spec' | 'form' | 'scale' | 'smoothing' | 'initial' | 'sigma2'
>

/** Filters a whole series with given parameters. */
export function filterSeries(parameters: EtsParameters, series: Series): EtsModel {
  const { spec, form, scale, smoothing, initial, sigma2 } = parameters
  const begun: EtsModel = {
    ...{ family: 'ets', spec, form, scale, smoothing, initial, sigma2 },
    state: initial,
    pending: 0,
    observations: 0,
    missing: 0,
  }
  return continueSeries(begun, series.y)
}

/** The model after newer values of its series; its parameters stay. Costs O(newer values). */
export function continueSeries(model: EtsModel, newer: Float64Array): EtsModel {
  const cursor = makeCursor(model)
  let { pending, observations, missing } = model
  for (let t = 0; t < newer.length; t++) {
    const value = newer[t]!
    if (Number.isNaN(value)) {
      pending++
      missing++
      continue
    }
    for (; pending > 0; pending--) step(cursor, Number.NaN)
    step(cursor, value / model.scale)
    observations++
  }
  return { ...model, state: stateOf(cursor), pending, observations, missing }
}

/** Where a filter stands; `season` is a ring, whose entry `at` the next step sees. */
export type Cursor = {
  readonly form: Form
  readonly smoothing: Smoothing
  level: number
  trend: number
  readonly season: Float64Array
  at: number
  /** The last step's expected level, trend included, its season, and its fit. */
  base: number
  part: number
  fit: number
}

export function makeCursor(model: Pick<EtsModel, 'form' | 'smoothing' | 'state'>): Cursor {
  return {
    form: model.form,
    smoothing: model.smoothing,
    level: model.state[0]!,
    trend: model.state[1]!,
    season: model.state.slice(2),
    at: 0,
    base: 0,
    part: 0,
    fit: 0,
  }
}

/**
 * One step in the units of the model (HKOS 2008, table 2.1; alike for both errors). Missing: the
 * state moves on as expected. A season is left alone where a level or itself is not above zero.
 */
export function step(cursor: Cursor, value: number): void {
  const { form, smoothing, season, at } = cursor
  const [alpha, beta, gamma, phi] = [smoothing[0]!, smoothing[1]!, smoothing[2]!, smoothing[3]!]
  const d = phi * cursor.trend
  const q = cursor.level + d
  const s = season[at]!
  const multiplied = form.season === 'M'
  const f = multiplied ? q * s : q + s
  cursor.base = q
  cursor.part = s
  cursor.fit = f
  cursor.at = at + 1 === season.length ? 0 : at + 1
  cursor.level = q
  cursor.trend = d
  if (Number.isNaN(value)) return
  const e = value - f
  const u = multiplied ? e / s : e
  cursor.level = q + alpha * u
  cursor.trend = d + beta * u
  if (!multiplied) {
    season[at] = s + gamma * e
  } else if (q > positiveMin) {
    const next = s + (gamma * e) / q
    if (next > positiveMin) season[at] = next
  }
}

/** A cursor's state in the order of a model. */
function stateOf(cursor: Cursor): States {
  const m = cursor.season.length
  const state = new Float64Array(2 + m)
  state[0] = cursor.level
  state[1] = cursor.trend
  for (let j = 0; j < m; j++) state[2 + j] = cursor.season[(cursor.at + j) % m]!
  return state
}

/** Whether each number of a state can be stored, and each season of a product is above zero. */
export function isSound({ state, form }: Pick<EtsModel, 'state' | 'form'>): boolean {
  if (!state.every((value) => Math.abs(value) <= limits.stateMagnitudeMax)) return false
  return form.season !== 'M' || state.subarray(2).every((season) => season > 0)
}

/** Whether a model is only defined for values above zero. */
export function isPositive(model: EtsModel): boolean {
  return needsPositive(model.form)
}
