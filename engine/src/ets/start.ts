import type { Form } from './form.ts'

/** First states of one form: level, trend, and a season for each of the first m steps. */
export type States = Float64Array

/**
 * States to begin a search from: once by the whole series, once more by its first seasons when they
 * may differ from later ones, and last without any seasons, which a product can always begin with.
 */
export function firstStates(y: Float64Array, form: Form): readonly States[] {
  const begin = y.subarray(0, Math.max(pointsMax, seasonsMax * form.seasonLength))
  const whole = statesOf(begin, form)
  if (form.season === 'N') return [whole]
  const early = y.length > earlySeasons * form.seasonLength
  const flat = whole.slice().fill(form.season === 'M' ? 1 : 0, 2)
  if (!early) return [whole, flat]
  return [whole, statesOf(y.subarray(0, earlySeasons * form.seasonLength), form), flat]
}

const earlySeasons = 4
/** More than these say nothing more of the beginning. */
const pointsMax = 400
const seasonsMax = 20

/**
 * After HKOS 2008, section 2.6.1: seasons from a decomposition by a centred moving average, level
 * and trend from a line through the first adjusted values. `y` may have gaps.
 */
function statesOf(y: Float64Array, form: Form): States {
  const m = form.seasonLength
  const states = new Float64Array(2 + m)
  const multiplied = form.season === 'M'
  const adjusted = bridged(y)
  if (form.season !== 'N') {
    const seasons = seasonsOf(adjusted, m, multiplied)
    states.set(seasons, 2)
    for (let t = 0; t < adjusted.length; t++) {
      const season = seasons[t % m]!
      adjusted[t] = multiplied ? adjusted[t]! / season : adjusted[t]! - season
    }
  }
  const count = Math.min(adjusted.length, Math.max(10, 2 * form.seasonLength))
  const line = lineThrough(adjusted.subarray(0, count))
  states[0] = form.trend === 'N' ? line.mean : line.mean - (line.slope * (count + 1)) / 2
  states[1] = form.trend === 'N' ? 0 : line.slope
  // A steep line through values above zero may begin below zero, where nothing is defined.
  const lowest = 0.1 * line.mean
  if ((form.error === 'M' || multiplied) && states[0]! + Math.min(0, states[1]!) < lowest) {
    states[0] = line.mean
    states[1] = 0
  }
  return states
}

/** Gaps bridged linearly, ends by the nearest value. */
function bridged(y: Float64Array): Float64Array {
  const whole = y.slice()
  let before = -1
  for (let t = 0; t <= y.length; t++) {
    if (t < y.length && Number.isNaN(y[t]!)) continue
    for (let gap = before + 1; gap < t; gap++) {
      const [left, right] = [y[before], y[t]]
      const share = (gap - before) / (t - before)
      whole[gap] =
        left === undefined ? right! : right === undefined ? left : left + share * (right - left)
    }
    before = t
  }
  return whole
}

function seasonsOf(y: Float64Array, m: number, multiplied: boolean): Float64Array {
  const [sums, counts] = [new Float64Array(m), new Int32Array(m)]
  const trend = y.length >= 2 * m ? movingAverage(y, m) : straightTrend(y)
  for (let t = 0; t < y.length; t++) {
    const base = trend[t]!
    if (Number.isNaN(base) || (multiplied && !(base > 0))) continue
    sums[t % m]! += multiplied ? y[t]! / base : y[t]! - base
    counts[t % m]!++
  }
  let total = 0
  for (let j = 0; j < m; j++) {
    sums[j] = counts[j] === 0 ? (multiplied ? 1 : 0) : sums[j]! / counts[j]!
    // A season near zero would stop the search at its border.
    if (multiplied) sums[j] = Math.max(0.01, sums[j]!)
    total += sums[j]!
  }
  for (let j = 0; j < m; j++) {
    sums[j] = multiplied ? (sums[j]! * m) / total : sums[j]! - total / m
  }
  return sums
}

/** Centred, over m values with halved ends when m is even; NaN where it does not reach. */
function movingAverage(y: Float64Array, m: number): Float64Array {
  const average = new Float64Array(y.length).fill(Number.NaN)
  const reach = m >> 1
  const end = m % 2 === 0 ? 0.5 : 1
  for (let t = reach; t + reach < y.length; t++) {
    let sum = end * (y[t - reach]! + y[t + reach]!)
    for (let k = 1 - reach; k < reach; k++) sum += y[t + k]!
    average[t] = sum / m
  }
  return average
}

function straightTrend(y: Float64Array): Float64Array {
  const { mean, slope } = lineThrough(y)
  return y.map((_, t) => mean + slope * (t - (y.length - 1) / 2))
}

function lineThrough(y: Float64Array): { readonly mean: number; readonly slope: number } {
  let mean = 0
  for (let t = 0; t < y.length; t++) mean += y[t]! / y.length
  const centre = (y.length - 1) / 2
  let [top, bottom] = [0, 0]
  for (let t = 0; t < y.length; t++) {
    top += (t - centre) * (y[t]! - mean)
    bottom += (t - centre) * (t - centre)
  }
  return { mean, slope: bottom > 0 ? top / bottom : 0 }
}
