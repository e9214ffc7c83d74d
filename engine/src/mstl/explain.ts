import type { Ask, Components, Explained, Outcome, Run } from '../family.ts'
import { done } from '../outcome.ts'
import { inverseBoxCox } from '../series/box-cox.ts'
import { growthOfMean, memberAsk } from './forecast.ts'
import { carriedSeason, type MstlModel, memberSeries } from './model.ts'
import { memberFamily } from './spec.ts'

/**
 * The member's parts and one for each season, `season365` for one of 365 steps. After a logarithm
 * the parts multiply: then there are a `level` and the seasons, each with its share of what the
 * seasons add together (by the logarithmic mean, so that the parts sum to the total).
 */
export function explainMstl(model: MstlModel, what: Explained): Outcome<Components> {
  const explained =
    'ask' in what
      ? memberFamily(model.member).explain(model.member, {
          ask: memberAsk(what.ask, new Float64Array(0)),
        })
      : memberFamily(model.member).explain(model.member, {
          series: memberSeries(model, new Int32Array(model.seasons.length), what.series),
        })
  if (explained.kind === 'refused') return explained
  const { total: adjusted, parts } = explained.value
  const phases = 'ask' in what ? model.phases : new Int32Array(model.seasons.length)
  const names: string[] = []
  const seasons: Float64Array[] = []
  for (const [i, period] of model.seasons.entries()) {
    const season = carriedSeason(model, phases, i, adjusted.length)
    for (let t = 0; t < season.length; t++) if (Number.isNaN(adjusted[t]!)) season[t] = Number.NaN
    names.push(`season${period}`)
    seasons.push(season)
  }
  const total = adjusted.map((value, t) => seasons.reduce((sum, part) => sum + part[t]!, value))
  const shares = Object.fromEntries(names.map((name, i) => [name, seasons[i]!]))
  if (model.spec.boxCox !== 'log') return done({ total, parts: { ...parts, ...shares } })
  const growth = 'ask' in what ? growthOf(model, what.ask, adjusted) : undefined
  return done(multiplied(adjusted, total, shares, growth))
}

function growthOf(model: MstlModel, ask: Ask, adjusted: Float64Array): Float64Array {
  const run: Run = { seed: 0, workMax: Number.POSITIVE_INFINITY }
  return growthOfMean(model, ask, adjusted, run)
}

/** exp(a + b + c) as exp(a) and shares of the rest in proportion to b and c. */
function multiplied(
  adjusted: Float64Array,
  logTotal: Float64Array,
  seasons: Readonly<Record<string, Float64Array>>,
  growth: Float64Array | undefined,
): Components {
  const grown = (value: number, t: number) => value + (growth?.[t] ?? 0)
  const level = adjusted.map((value, t) => inverseBoxCox(grown(value, t), 0))
  const total = logTotal.map((value, t) => inverseBoxCox(grown(value, t), 0))
  const names = Object.keys(seasons)
  const parts: Record<string, Float64Array> = { level }
  for (const name of names) {
    parts[name] = seasons[name]!.map((season, t) => {
      const exponent = logTotal[t]! - adjusted[t]!
      const rise = total[t]! - level[t]!
      return Math.abs(exponent) > 1e-12 ? (rise / exponent) * season : level[t]! * season
    })
  }
  // A share of a rise that nearly vanishes is rounded: the level takes up what is left.
  for (let t = 0; t < total.length; t++) {
    let sum = 0
    for (const name of names) sum += parts[name]![t]!
    level[t] = total[t]! - sum
  }
  return { total, parts }
}
