import type { Ask, Forecast, Note, Outcome, Plan, Prepared, Run } from '../family.ts'
import { areFinite } from '../numeric/finite.ts'
import { normalQuantile } from '../numeric/normal.ts'
import { normalAt, seedOfKey } from '../numeric/random.ts'
import { done, refused } from '../outcome.ts'
import { preparedBy } from '../prepared.ts'
import { inverseBoxCox } from '../series/box-cox.ts'
import { carriedSeasons, type MstlModel } from './model.ts'
import { memberFamily } from './spec.ts'

/**
 * The member's forecast and the patterns carried on. Its quantiles are moved away from the point:
 * a pattern of few cycles has learnt part of the noise by heart, so that the member saw less of it
 * (a factor of 1 / (1 - leverage) on the variance), and is itself uncertain (noise² · leverage).
 */
export function prepareMstl(model: MstlModel, plan: Plan, run: Run): Prepared {
  const { quantiles: _, ...memberPlan } = memberAsk(plan, new Float64Array(0))
  const member = preparedBy(memberFamily(model.member), model.member, memberPlan, run)
  const seasonal = carriedSeasons(model, model.phases, plan.horizon)
  return {
    at(quantiles, horizon = plan.horizon) {
      const forecast = member.at(quantiles, horizon)
      if (forecast.kind === 'refused') return forecast
      return withPatterns(model, { ...plan, horizon, quantiles }, seasonal, forecast, run)
    },
    ...(member.begin ? { begin: member.begin } : {}),
    sizeBytes: member.sizeBytes + 8 * plan.horizon,
  }
}

function withPatterns(
  model: MstlModel,
  ask: Ask,
  seasonal: Float64Array,
  forecast: Exclude<Outcome<Forecast>, { kind: 'refused' }>,
  run: Run,
): Outcome<Forecast> {
  const { horizon, quantiles: asked } = ask
  const { point: middle, quantiles: bounds, notes } = forecast.value
  const point = middle.map((value, h) => value + seasonal[h]!)
  const quantiles = new Float64Array(bounds.length)
  const scores = asked.map(normalQuantile)
  for (let h = 0; h < horizon; h++) {
    for (let k = 0; k < asked.length; k++) {
      const at = h * asked.length + k
      quantiles[at] = point[h]! + widened(model, bounds[at]! - middle[h]!, scores[k]!)
    }
  }
  if (model.spec.boxCox === 'log') {
    const growth = growthOfMean(model, ask, middle, run)
    for (let h = 0; h < horizon; h++) point[h] = inverseBoxCox(point[h]! + growth[h]!, 0)
    for (let at = 0; at < quantiles.length; at++) quantiles[at] = inverseBoxCox(quantiles[at]!, 0)
  }
  if (!areFinite(point, quantiles)) return outOfNumbers
  return done({ point, quantiles, notes: [...notes, ...notesOf(model, horizon)] }, forecast.report)
}

/** Paths of the member around its point, and a draw of each pattern's error. */
export function simulateMstl(
  model: MstlModel,
  ask: Ask,
  paths: number,
  run: Run,
): Outcome<Float64Array> {
  const { horizon } = ask
  const family = memberFamily(model.member)
  const plain = memberAsk(ask, new Float64Array(0))
  const forecast = family.forecast(model.member, plain, run)
  if (forecast.kind === 'refused') return forecast
  const simulated = family.simulate(model.member, plain, paths, run)
  if (simulated.kind === 'refused') return simulated
  const { point } = forecast.value
  const seasonal = carriedSeasons(model, model.phases, horizon)
  const period = model.seasons.at(-1) ?? 1
  const phase = model.phases.at(-1) ?? 0
  const wider = Math.sqrt(1 / (1 - model.leverage))
  const spread = model.noise * wider * Math.sqrt(model.leverage)
  const seed = seedOfKey(run.seed, 'season')
  const values = simulated.value.slice()
  for (let path = 0; path < paths; path++) {
    for (let h = 0; h < horizon; h++) {
      const at = path * horizon + h
      // One error for each phase of the longest season: a pattern is wrong alike in every cycle.
      const error = spread === 0 ? 0 : spread * normalAt(seed, path, (phase + h) % period)
      const value = point[h]! + seasonal[h]! + wider * (values[at]! - point[h]!) + error
      values[at] = model.spec.boxCox === 'log' ? inverseBoxCox(value, 0) : value
    }
  }
  return areFinite(values) ? done(values) : outOfNumbers
}

/**
 * What the point has to grow by on the scale of the logarithm: half the variance when the mean is
 * asked for, nothing for the median.
 */
export function growthOfMean(
  model: MstlModel,
  ask: Ask,
  middle: Float64Array,
  run: Run,
): Float64Array {
  const growth = new Float64Array(ask.horizon)
  if (ask.point !== 'mean' || model.spec.boxCox !== 'log') return growth
  const upper = memberFamily(model.member).forecast(
    model.member,
    memberAsk(ask, oneDeviationUp),
    run,
  )
  if (upper.kind === 'refused') return growth
  return growth.map((_, h) => {
    const deviation = widened(model, upper.value.quantiles[h]! - middle[h]!, 1)
    return (deviation * deviation) / 2
  })
}

/** What the member is asked: bounds hold for the data, not for the adjusted series. */
export function memberAsk({ horizon, point }: Plan, quantiles: Float64Array): Ask {
  return { horizon, quantiles, ...(point === undefined ? {} : { point }) }
}

/** The probability of less than a standard deviation above the mean of a normal distribution. */
const oneDeviationUp = Float64Array.of(0.8413447460685429)

const outOfNumbers = refused({
  code: 'not-finite',
  detail: 'The forecast leaves the range of numbers.',
  remedy: 'Ask for a shorter horizon, or fit the model again.',
})

function widened({ leverage, noise }: MstlModel, distance: number, score: number): number {
  const pattern = score * noise * Math.sqrt(leverage)
  const size = Math.hypot(distance, pattern) * Math.sqrt(1 / (1 - leverage))
  return distance < 0 || (distance === 0 && score < 0) ? -size : size
}

function notesOf({ seasons }: MstlModel, horizon: number): readonly Note[] {
  const period = seasons.at(-1)
  if (period === undefined || horizon <= period) return []
  const detail = `Beyond ${period} steps the last seasonal pattern is repeated once more.`
  return [{ code: 'season-repeated', detail }]
}
