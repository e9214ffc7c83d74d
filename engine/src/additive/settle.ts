import type { Series } from '../family.ts'
import type { Calendar } from '../series/calendar.ts'
import { dayMs, daysOfText } from '../series/calendar-dates.ts'
import { meanStepMs } from '../series/calendar-steps.ts'
import { type Regressor, type Season, timesOf } from './design.ts'
import type { AdditiveSpec } from './spec.ts'

/** Numbers of the steps that have an observation, ascending. */
export function observedSteps(y: Float64Array): Int32Array {
  let count = 0
  const steps = new Int32Array(y.length)
  for (let t = 0; t < y.length; t++) if (!Number.isNaN(y[t]!)) steps[count++] = t
  return steps.subarray(0, count)
}

/**
 * The seasons of a model. With a calendar: yearly, weekly and daily ones as Prophet switches them
 * on (two years; two weeks of steps below a week; two days of steps below a day), except that no
 * order goes beyond what the steps can show: half of the steps in a period. Without one: those that
 * the series names and of which it has seen two.
 */
export function settleSeasons(
  spec: AdditiveSpec,
  series: Series,
  observed: Int32Array,
): readonly Season[] {
  const { calendar } = series
  const seasons: Season[] = []
  const defaults = {
    priorScale: spec.seasonPriorScale,
    multiplicative: spec.seasonMode === 'multiplicative',
  }
  const steps = observed.length === 0 ? 0 : observed.at(-1)! - observed[0]!
  if (calendar !== undefined) {
    const stepDays = meanStepMs(calendar.step) / dayMs
    for (const { name, days, order, shownFrom, stepBelow } of calendarSeasons) {
      const asked = spec[name]
      const shown = steps * stepDays >= shownFrom && stepDays < stepBelow
      const visible = Math.floor(days / (2 * stepDays) + 1e-9)
      const taken = asked ?? (shown ? Math.min(order, visible) : 0)
      if (taken > 0) seasons.push({ name, unit: 'day', period: days, order: taken, ...defaults })
    }
  } else if (spec.seasons === null) {
    for (const length of series.seasons ?? []) {
      if (steps < 2 * length) continue
      const order = Math.min(orderMax, Math.floor(length / 2))
      seasons.push({ name: `season-${length}`, unit: 'step', period: length, order, ...defaults })
    }
  }
  for (const { name, period, days, order, priorScale, mode } of spec.seasons ?? []) {
    const stepDays = calendar === undefined ? 1 : meanStepMs(calendar.step) / dayMs
    const length = period ?? days! / stepDays
    seasons.push({
      name,
      unit: period === null ? 'day' : 'step',
      period: period ?? days!,
      order: order ?? Math.max(1, Math.min(orderMax, Math.floor(length / 2))),
      priorScale: priorScale ?? defaults.priorScale,
      multiplicative: mode === null ? defaults.multiplicative : mode === 'multiplicative',
    })
  }
  return seasons
}

/** How each column of a series enters, in the order of their names. */
export function settleRegressors(
  spec: AdditiveSpec,
  x: Series['x'],
  observed: Int32Array,
): readonly Regressor[] {
  return Object.keys(x ?? {})
    .sort()
    .map((name) => {
      const options = spec.regressors.find((regressor) => regressor.name === name)
      const { standardise = null, priorScale = null, mode = null } = options ?? {}
      const values = Float64Array.from(observed, (t) => x![name]![t]!)
      const binary = values.every((value) => value === 0 || value === 1)
      const moments = momentsOf(values)
      const plain = !(standardise ?? !binary) || !(moments.deviation > 0)
      return {
        name,
        priorScale: priorScale ?? spec.holidayPriorScale,
        multiplicative: (mode ?? spec.seasonMode) === 'multiplicative',
        ...(plain ? { mean: 0, deviation: 1 } : moments),
      }
    })
}

/** Scaled times at which the rate may change, ascending, each once. */
export function settleChangepoints(
  spec: AdditiveSpec,
  calendar: Calendar | null,
  observed: Int32Array,
  scaledTime: (time: number) => number,
): Float64Array {
  if (spec.growth === 'flat') return new Float64Array(0)
  const timeOf = (step: number) => timesOf(calendar, step, 1)[0]!
  if (spec.changepoints !== null) {
    const times = spec.changepoints.map((entry) =>
      scaledTime(typeof entry === 'string' ? daysOfText(entry)! : timeOf(entry)),
    )
    const inside = times.filter((time) => time > 0 && time < 1)
    return Float64Array.from(new Set(inside)).sort()
  }
  const share = Math.floor(observed.length * spec.changepointRange)
  const count = Math.max(0, Math.min(spec.changepointCount, share - 1))
  return Float64Array.from({ length: count }, (_, i) => {
    const at = roundHalfEven(((i + 1) * (share - 1)) / count)
    return scaledTime(timeOf(observed[at]!))
  })
}

const orderMax = 10

const calendarSeasons = [
  { name: 'yearly', days: 365.25, order: 10, shownFrom: 730, stepBelow: 183 },
  { name: 'weekly', days: 7, order: 3, shownFrom: 14, stepBelow: 7 },
  { name: 'daily', days: 1, order: 4, shownFrom: 2, stepBelow: 1 },
] as const

function momentsOf(values: Float64Array) {
  const unit = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1
  let sum = 0
  for (const value of values) sum += value / unit
  const mean = sum / Math.max(1, values.length)
  let squares = 0
  for (const value of values) squares += (value / unit - mean) ** 2
  const deviation = Math.sqrt(squares / Math.max(1, values.length - 1))
  // What is only rounding is no spread.
  return { mean: mean * unit, deviation: deviation > 1e-12 * Math.abs(mean) ? deviation * unit : 0 }
}

/** As numpy rounds, so that changepoints fall where the reference has them. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value)
  const rest = value - below
  if (rest !== 0.5) return Math.round(value)
  return below % 2 === 0 ? below : below + 1
}
