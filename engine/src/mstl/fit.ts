import type { Outcome, Refusal, Report, Run, Series } from '../family.ts'
import { makeBudget } from '../numeric/budget.ts'
import { largest } from '../numeric/magnitude.ts'
import { checkValues, countObserved } from '../series/check.ts'
import { fillSeasonally } from '../series/gaps.ts'
import { type Mstl, mstlDecompose, usableSeasons } from '../series/mstl-decompose.ts'
import { strengthsOf } from '../series/strength.ts'
import { counted, joined } from '../words.ts'
import { adjustedSeries, filterMstl, logFault, type MstlModel, transform } from './model.ts'
import { carriedSeasonsOf } from './patterns.ts'
import { isRobust, type MstlSpec, memberFamily, seasonsOf } from './spec.ts'

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
  const parts = mstlDecompose(filled.y, seasons, { robust: isRobust(spec, seasons) }, budget)
  const remainder = remainderOf(y, parts)
  const carried = carriedSeasonsOf(y, remainder, parts)
  const workMax = Math.max(0, run.workMax - budget.spent())
  const adjusted = adjustedSeries(series, carried.adjusted)
  const fitted = memberFamily(spec.member).fit(adjusted, spec.member, { ...run, workMax })
  if (fitted.kind === 'refused') return fitted
  const model: MstlModel = {
    family: 'mstl',
    spec: { ...spec, member: fitted.value.spec },
    seasons: Int32Array.from(parts.seasons),
    patterns: carried.patterns,
    phases: new Int32Array(parts.seasons.length),
    leverage: carried.leverage,
    noise: deviation(remainder),
    member: fitted.value,
  }
  const filtered = filterMstl(model, series)
  if (filtered.kind === 'refused') return filtered
  return {
    kind: parts.complete ? fitted.kind : 'stopped',
    value: filtered.value,
    report: reportOf(fitted.report, {
      series,
      spec,
      parts,
      flat: carried.flat,
      filled: filled.count,
      y: filled.y,
    }),
  }
}

/** What the decomposition leaves; missing where the series is. */
function remainderOf(y: Float64Array, { seasonals, trend }: Mstl): Float64Array {
  const remainder = y.map((value, t) => value - trend[t]!)
  for (const seasonal of seasonals) {
    for (let t = 0; t < y.length; t++) remainder[t]! -= seasonal[t]!
  }
  return remainder
}

/** The standard deviation of the remainder, where there is a value. */
function deviation(remainder: Float64Array): number {
  const most = largest(remainder)
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

function reportOf(
  member: Report,
  found: {
    readonly series: Series
    readonly spec: MstlSpec
    readonly parts: Mstl
    readonly flat: readonly number[]
    readonly filled: number
    readonly y: Float64Array
  },
): Report {
  const { series, spec, parts, flat, filled, y } = found
  const used = parts.seasons
  const kept = usableSeasons(series.y.length, seasonsOf(spec, series))
  const dropped = seasonsOf(spec, series).filter((period) => !kept.includes(period))
  const how = `${isRobust(spec, seasonsOf(spec, series)) ? 'robust ' : ''}STL${spec.boxCox === 'log' ? ' of the logarithm' : ''}`
  const taken =
    used.length === 0
      ? 'There is no season to take out'
      : `${used.length === 1 ? 'A season' : 'Seasons'} of ${joined(used)} taken out by ${how}`
  const short =
    dropped.length === 0 ? '' : `; not ${joined(dropped)}, of which there are no two whole cycles`
  const weak =
    flat.length === 0
      ? ''
      : `; ${joined(flat)} ${flat.length === 1 ? 'is' : 'are'} no more than noise`
  const repairs = [...(member.repairs ?? [])]
  if (filled > 0)
    repairs.push(`${counted(filled, 'missing value')} filled for the decomposition only`)
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
    summary: `${taken}${short}${weak}. ${member.summary ?? `Then ${spec.member.family}.`}`,
    ...(repairs.length > 0 ? { repairs } : {}),
    ...(parts.complete ? {} : { stopped: 'during the decomposition' }),
  }
}
