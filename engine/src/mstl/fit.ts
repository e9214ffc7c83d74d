import type { Outcome, Refusal, Report, Run, Series } from '../family.ts'
import { makeBudget } from '../numeric/budget.ts'
import { checkValues, countObserved } from '../series/check.ts'
import { fillSeasonally } from '../series/gaps.ts'
import {
  type Mstl,
  mstlDecompose,
  seasonalWindow,
  usableSeasons,
} from '../series/mstl-decompose.ts'
import { strengthsOf } from '../series/strength.ts'
import { adjustedSeries, filterMstl, logFault, type MstlModel, transform } from './model.ts'
import { type MstlSpec, memberFamily, seasonsOf } from './spec.ts'

/** Why a series cannot be fitted; undefined when it can. */
export function checkMstlSeries(series: Series, spec: MstlSpec): Refusal | undefined {
  const fault = checkValues(series.y) ?? logFault(series.y, spec)
  if (fault !== undefined) return fault
  // Seasons shift values, and make none missing: a member that takes these takes those.
  const adjusted = adjustedSeries(series, transform(series.y, spec))
  return memberFamily(spec.member).check(adjusted, spec.member)
}

/**
 * Fits a series that passes `checkMstlSeries`. The member is fitted to the series without its
 * evolving seasons, and then filtered over the series without the patterns that are kept.
 */
export function fitMstl(series: Series, spec: MstlSpec, run: Run): Outcome<MstlModel> {
  const budget = makeBudget(run)
  const y = transform(series.y, spec)
  const seasons = seasonsOf(spec, series)
  const filled = fillSeasonally(y, seasons, budget)
  const parts = mstlDecompose(filled.y, seasons, { robust: spec.robust }, budget)
  const patterns = patternsOf(parts, spec)
  const workMax = Math.max(0, run.workMax - budget.spent())
  const adjusted = adjustedSeries(series, adjust(y, parts))
  const fitted = memberFamily(spec.member).fit(adjusted, spec.member, { ...run, workMax })
  if (fitted.kind === 'refused') return fitted
  const model: MstlModel = {
    family: 'mstl',
    ...patterns,
    spec: { ...spec, member: fitted.value.spec },
    phases: new Int32Array(parts.seasons.length),
    leverage: leverageOf(parts.seasons, y.length),
    noise: deviation(y, parts),
    member: fitted.value,
  }
  const filtered = filterMstl(model, series)
  if (filtered.kind === 'refused') return filtered
  return {
    kind: parts.complete ? fitted.kind : 'stopped',
    value: filtered.value,
    report: reportOf(fitted.report, { series, spec, parts, filled: filled.count, y: filled.y }),
  }
}

/** The last cycle of each season around zero, by its phase. */
function patternsOf({ seasons, seasonals }: Mstl, spec: MstlSpec) {
  const patterns = new Float64Array(seasons.reduce((sum, period) => sum + period, 0))
  let from = 0
  for (const [i, period] of seasons.entries()) {
    const seasonal = seasonals[i]!
    const last = seasonal.length - period
    const mean = meanOf(seasonal.subarray(last))
    for (let t = last; t < seasonal.length; t++) {
      patterns[from + (t % period)] = seasonal[t]! - mean
    }
    from += period
  }
  return { spec, seasons: Int32Array.from(seasons), patterns }
}

/** The series without its seasons as they evolved; the level of the last cycles stays in it. */
function adjust(y: Float64Array, { seasons, seasonals }: Mstl): Float64Array {
  const adjusted = y.slice()
  for (const [i, period] of seasons.entries()) {
    const seasonal = seasonals[i]!
    const mean = meanOf(seasonal.subarray(seasonal.length - period))
    for (let t = 0; t < y.length; t++) adjusted[t]! -= seasonal[t]! - mean
  }
  return adjusted
}

/**
 * How much of a value its own pattern has taken up: the sum of squared weights of the local mean
 * over the cycles, at the last of them. It is also the variance of the pattern that is carried, in
 * units of the noise.
 */
function leverageOf(seasons: readonly number[], length: number): number {
  let sum = 0
  for (const [i, period] of seasons.entries()) {
    const cycles = Math.floor(length / period)
    const window = seasonalWindow(i)
    const reach = Math.min(cycles, window) - 1 + Math.max(0, (window - cycles) >> 1)
    let s1 = 0
    let s2 = 0
    for (let cycle = 0; cycle < Math.min(cycles, window); cycle++) {
      const ratio = cycle / reach
      const rest = Math.max(0, 1 - ratio * ratio * ratio)
      const weight = rest * rest * rest
      s1 += weight
      s2 += weight * weight
    }
    sum += s2 / (s1 * s1)
  }
  return Math.min(leverageMax, sum)
}

/** Several seasons of few cycles leave little to judge by; more than this is not believed. */
export const leverageMax = 0.6

/** The standard deviation of the remainder, where there is a value. */
function deviation(y: Float64Array, { seasonals, trend }: Mstl): number {
  const remainder = y.map((value, t) => value - trend[t]!)
  for (const seasonal of seasonals) {
    for (let t = 0; t < y.length; t++) remainder[t]! -= seasonal[t]!
  }
  let most = 0
  for (const value of remainder) if (Math.abs(value) > most) most = Math.abs(value)
  if (!(most > 0)) return 0
  let sum = 0
  let count = 0
  for (const value of remainder) {
    if (Number.isNaN(value)) continue
    sum += (value / most) * (value / most)
    count++
  }
  return most * Math.sqrt(sum / count)
}

function meanOf(values: Float64Array): number {
  let sum = 0
  for (let t = 0; t < values.length; t++) sum += values[t]! / values.length
  return sum
}

function reportOf(
  member: Report,
  found: {
    readonly series: Series
    readonly spec: MstlSpec
    readonly parts: Mstl
    readonly filled: number
    readonly y: Float64Array
  },
): Report {
  const { series, spec, parts, filled, y } = found
  const used = parts.seasons
  const kept = usableSeasons(series.y.length, seasonsOf(spec, series))
  const dropped = seasonsOf(spec, series).filter((period) => !kept.includes(period))
  const how = `${spec.robust ? 'robust ' : ''}STL${spec.boxCox === 'log' ? ' of the logarithm' : ''}`
  const taken =
    used.length === 0
      ? 'There is no season to take out'
      : `${used.length === 1 ? 'A season' : 'Seasons'} of ${used.join(', ')} taken out by ${how}`
  const short =
    dropped.length === 0
      ? ''
      : `; not ${dropped.join(', ')}, of which there are no two whole cycles`
  const repairs = [...(member.repairs ?? [])]
  if (filled > 0) repairs.push(`${filled} missing values filled for the decomposition only`)
  const strengths: Record<string, number> = {}
  for (const [i, period] of used.entries()) {
    const others = y.slice()
    for (const [j, seasonal] of parts.seasonals.entries()) {
      if (j !== i) for (let t = 0; t < others.length; t++) others[t]! -= seasonal[t]!
    }
    const alone = { seasonal: parts.seasonals[i]!, trend: parts.trend }
    strengths[`strength${period}`] = strengthsOf(others, alone).seasonal
  }
  const observations = countObserved(series.y)
  return {
    ...member,
    ...strengths,
    observations,
    missing: series.y.length - observations,
    summary: `${taken}${short}. ${member.summary ?? `Then ${spec.member.family}.`}`,
    ...(repairs.length > 0 ? { repairs } : {}),
    ...(parts.complete ? {} : { stopped: 'during the decomposition' }),
  }
}
