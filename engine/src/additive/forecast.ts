import { futureColumns } from '../check-input.ts'
import type { Ask, Forecast, Outcome, Plan, Prepared, Run } from '../family.ts'
import { areFinite } from '../numeric/finite.ts'
import { meanOf } from '../numeric/moments.ts'
import { normalQuantile } from '../numeric/normal.ts'
import { done, refused } from '../outcome.ts'
import { type AdditiveModel, type Fitted, fittedAt } from './model.ts'
import { addNoise, makePaths, type Paths, sharedNoise, trendVaries } from './paths.ts'
import { makeRanking } from './ranking.ts'

/** The parts of the steps that are asked for, or the refusal of a regressor that is missing. */
export function fittedAhead(model: AdditiveModel, ask: Ask): Outcome<Fitted> {
  const names = model.design.regressors.map(({ name }) => name)
  const future = futureColumns(names, ask)
  if ('refusal' in future) return refused(future.refusal)
  return done(fittedAt(model, model.length, ask.horizon, future.columns))
}

/** The sum of all parts, in their order. */
export function totalOf({ trend, effects }: Fitted): Float64Array {
  const total = trend.slice()
  for (const effect of effects) for (let i = 0; i < total.length; i++) total[i]! += effect[i]!
  return total
}

/**
 * Quantiles count the noise and future changes of the trend; where the trend is certain they are
 * those of the normal distribution, else of simulated paths. The parameters count as known.
 */
export function forecastAdditive(model: AdditiveModel, ask: Ask, run: Run): Outcome<Forecast> {
  const ahead = fittedAhead(model, ask)
  if (ahead.kind === 'refused') return ahead
  const fitted = ahead.value
  const point = totalOf(fitted)
  const varies = trendVaries(model)
  const forecast = varies
    ? simulated(model, fitted, point, ask, run)
    : { point, quantiles: normalRows(model, point, ask) }
  return checked({ ...forecast, notes: [] })
}

/**
 * Keeps the paths of each step in their order, so that quantiles are looked up. Nothing is drawn
 * before somebody asks for one.
 */
export function prepareAdditive(model: AdditiveModel, plan: Plan, run: Run): Prepared {
  const longest = plan.horizon
  const ahead = fittedAhead(model, { ...plan, quantiles: new Float64Array(0) })
  const varies = trendVaries(model)
  if (ahead.kind === 'refused' || !varies || plan.point === 'mean') {
    const at = (quantiles: Float64Array, horizon = longest) =>
      forecastAdditive(model, { ...plan, horizon, quantiles }, run)
    return { at, sizeBytes: 8 * longest }
  }
  const point = totalOf(ahead.value)
  const count = model.spec.paths
  let ranks: Float64Array | undefined
  return {
    at(quantiles, horizon = longest) {
      const rows = new Float64Array(horizon * quantiles.length)
      if (quantiles.length > 0) {
        ranks ??= allAtOnce(ranksOf(model, ahead.value, longest, run))
        for (let k = 0; k < quantiles.length; k++) {
          const { low, high, share } = placeOf(count, quantiles[k]!)
          for (let h = 0; h < horizon; h++) {
            const below = ranks[low * longest + h]!
            const above = ranks[high * longest + h]!
            rows[h * quantiles.length + k] = below + share * (above - below)
          }
        }
      }
      return checked({ point: point.subarray(0, horizon), quantiles: rows, notes: [] })
    },
    *begin() {
      ranks ??= yield* ranksOf(model, ahead.value, longest, run)
    },
    sizeBytes: 8 * longest * (count + 1),
  }
}

/** The paths' values with their noise, ranks × horizon, row-major; done in pieces. */
function* ranksOf(
  model: AdditiveModel,
  fitted: Fitted,
  horizon: number,
  run: Run,
): Generator<void, Float64Array> {
  const count = model.spec.paths
  const ranks = new Float64Array(count * horizon)
  // Memory is given where it is first written to: every step writes all over it.
  for (let at = 0; at < ranks.length; at += numbersPerPage) {
    ranks[at] = 0
    if (at % (pagesPerPiece * numbersPerPage) === 0) yield
  }
  const paths = makePaths(model, fitted, run.seed, 0, count)
  yield
  const noise = sharedNoise(model, run.seed, count)
  yield
  const ranking = makeRanking(count)
  for (const { h, values } of drawnSteps({ paths, noise }, horizon)) {
    const sorted = ranking.sort(values)
    for (let rank = 0; rank < count; rank++) ranks[rank * horizon + h] = sorted[rank]!
    if (h % stepsPerPiece === stepsPerPiece - 1) yield
  }
  return ranks
}

const numbersPerPage = 512
/** So many are given in less than a millisecond. */
const pagesPerPiece = 128

/** A thousand paths of so many steps are drawn and sorted in less than a millisecond. */
const stepsPerPiece = 32

function allAtOnce(pieces: Generator<void, Float64Array>): Float64Array {
  for (;;) {
    const piece = pieces.next()
    if (piece.done) return piece.value
  }
}

/** The values of all paths with their noise, step by step; each overwrites the one before. */
function* drawnSteps(
  { paths, noise }: { readonly paths: Paths; readonly noise: Float64Array },
  horizon: number,
): Generator<{ readonly h: number; readonly values: Float64Array }> {
  const count = noise.length
  const values = new Float64Array(count)
  for (let h = 0; h < horizon; h++) {
    paths.step(h, values)
    for (let path = 0; path < count; path++) values[path]! += noise[path]!
    yield { h, values }
  }
}

function checked(forecast: Forecast): Outcome<Forecast> {
  if (areFinite(forecast.point, forecast.quantiles)) return done(forecast)
  return refused({
    code: 'not-finite',
    detail: 'The forecast leaves the range of numbers.',
    remedy: 'Ask for a shorter horizon, or fit the model again.',
  })
}

function normalRows(model: AdditiveModel, point: Float64Array, { quantiles }: Ask): Float64Array {
  const noise = model.sigma * model.scale
  const width = quantiles.length
  const scores = quantiles.map(normalQuantile)
  const rows = new Float64Array(point.length * width)
  for (let h = 0; h < point.length; h++) {
    for (let k = 0; k < width; k++) rows[h * width + k] = point[h]! + noise * scores[k]!
  }
  return rows
}

function simulated(model: AdditiveModel, fitted: Fitted, median: Float64Array, ask: Ask, run: Run) {
  const { horizon, quantiles } = ask
  const width = quantiles.length
  const rows = new Float64Array(horizon * width)
  // A line is as likely to bend up as down: its mean is its median.
  const averaged = ask.point === 'mean' && model.trend.growth === 'logistic'
  if (width === 0 && !averaged) return { point: median, quantiles: rows }
  const means = new Float64Array(averaged ? horizon : 0)
  const count = model.spec.paths
  const paths = makePaths(model, fitted, run.seed, 0, count)
  const noise = sharedNoise(model, run.seed, count)
  const ranking = makeRanking(count)
  for (const { h, values } of drawnSteps({ paths, noise }, horizon)) {
    if (averaged) means[h] = meanOf(values)
    if (width === 0) continue
    const sorted = ranking.sort(values)
    for (let k = 0; k < width; k++) {
      const { low, high, share } = placeOf(sorted.length, quantiles[k]!)
      rows[h * width + k] = sorted[low]! + share * (sorted[high]! - sorted[low]!)
    }
  }
  return { point: averaged ? means : median, quantiles: rows }
}

/** Linearly between the middles of the shares of probability that sorted values stand for. */
function placeOf(count: number, probability: number) {
  const at = Math.min(count - 1, Math.max(0, probability * count - 0.5))
  const low = Math.floor(at)
  return { low, high: Math.min(low + 1, count - 1), share: at - low }
}

/** Sample paths, paths × horizon, row-major. */
export function simulateAdditive(
  model: AdditiveModel,
  ask: Ask,
  count: number,
  run: Run,
): Outcome<Float64Array> {
  const ahead = fittedAhead(model, ask)
  if (ahead.kind === 'refused') return ahead
  const { horizon } = ask
  const out = new Float64Array(count * horizon)
  for (let first = 0; first < count; first += blockPaths) {
    const size = Math.min(blockPaths, count - first)
    const paths = makePaths(model, ahead.value, run.seed, first, size)
    const values = new Float64Array(size)
    for (let h = 0; h < horizon; h++) {
      paths.step(h, values)
      addNoise(model, { seed: run.seed, first, step: h }, values)
      for (let path = 0; path < size; path++) out[(first + path) * horizon + h] = values[path]!
    }
  }
  return done(out)
}

/** Paths that are drawn beside each other: their states stay in the cache of a core. */
const blockPaths = 1_024
