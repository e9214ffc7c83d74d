import type { Budget } from '../numeric/budget.ts'
import { type Design, rowsOf } from './design.ts'
import { type Equations, equationsOf } from './equations.ts'
import { chunkRows, scaledTimes } from './model.ts'
import { lossOf, type Peak, type Priors, peakOf, varianceOf } from './posterior.ts'
import { addRows, clearSums, makeSums, type Parameters, type Sums } from './sums.ts'

/** What is to be fitted, scaled. */
export type Problem = {
  readonly design: Design
  readonly origin: number
  readonly span: number
  /** Scaled, NaN where missing. */
  readonly y: Float64Array
  /** The regressors' columns in the order of the design. */
  readonly x: readonly Float64Array[]
  readonly priors: Priors
}

export type Estimate = {
  readonly parameters: Parameters
  readonly variance: number
  readonly squares: number
  /** Minus the log posterior density, without constants. */
  readonly loss: number
  /** Passes over the series. */
  readonly passes: number
  readonly rounds: number
  readonly converged: boolean
}

/**
 * The parameters with the highest posterior density. Each pass over the series linearises the
 * regression where it stands; what is quadratic then, with the priors as they are, is solved
 * exactly. Additive regressions with a linear trend are done after the first pass, the second only
 * takes the rounding off; others are damped as Levenberg and Marquardt do.
 */
export function estimate(problem: Problem, start: Parameters, budget: Budget): Estimate {
  const { priors } = problem
  const pieces = start.trend.changepoints.length + 1
  const sums = makeSums(pieces, problem.design.columns)
  let best: Estimate = {
    ...{ parameters: start, variance: 1, squares: Number.NaN, loss: Number.POSITIVE_INFINITY },
    ...{ passes: 0, rounds: 0, converged: false },
  }
  let equations: Equations | undefined
  let candidate = start
  let damping = 0
  let shortened = false
  let rounds = 0
  for (let passes = 1; passes <= passesMax; passes++) {
    if (!pass(problem, candidate, sums, budget)) return best
    const values = valuesOf(candidate)
    const variance = varianceOf(sums.squares, sums.observations, priors)
    const loss = lossOf(values, variance, sums.squares, sums.observations, priors)
    const gained = best.loss - loss
    if (Number.isFinite(loss) && !(gained < -tolerance * (1 + Math.abs(loss)))) {
      if (gained >= 0 || equations === undefined) {
        best = {
          ...{ parameters: candidate, variance, squares: sums.squares, loss },
          ...{ passes, rounds, converged: false },
        }
      }
      equations = equationsOf(sums, candidate)
      // A step that had to be shortened is followed by one as short.
      if (!shortened) damping = damping <= dampingMin ? 0 : damping / 10
      shortened = false
    } else {
      if (equations === undefined || damping >= dampingMax) return { ...best, passes }
      candidate = best.parameters
      damping = Math.max(dampingMin, damping * 10)
      shortened = true
    }
    const peak = peakOf(equations, valuesOf(candidate), best.variance, priors, damping, budget)
    rounds += peak.rounds
    if (!(best.loss - peak.loss > tolerance * (1 + Math.abs(best.loss)))) {
      return { ...settled(best, candidate, peak), passes, rounds, converged: true }
    }
    candidate = parametersOf(peak.parameters, candidate)
  }
  return best
}

/** The prediction of the last equations is taken when it is no worse than what was seen. */
function settled(best: Estimate, candidate: Parameters, peak: Peak): Estimate {
  if (!(peak.loss <= best.loss)) return best
  const { variance, squares, loss, parameters } = peak
  return { ...best, parameters: parametersOf(parameters, candidate), variance, squares, loss }
}

/** One pass over the series; false when the budget is at its end. */
function pass(problem: Problem, parameters: Parameters, sums: Sums, budget: Budget): boolean {
  const { design, y, x } = problem
  const weight = 1 + Math.ceil((design.columns * design.columns) / 2_048)
  clearSums(sums)
  for (let from = 0; from < y.length; from += chunkRows) {
    const count = Math.min(chunkRows, y.length - from)
    if (!budget.spend(count * weight)) return false
    const rows = rowsOf(design, from, count, x, 0)
    const scaled = { features: rows.features, times: scaledTimes(problem, rows) }
    addRows(sums, parameters, scaled, y.subarray(from, from + count), design.multiplicative)
  }
  return true
}

const passesMax = 100
const tolerance = 1e-10
const dampingMin = 1e-4
const dampingMax = 1e8

/** The rate, the line at time 0, the columns, the changes: in these the line is linear. */
function valuesOf({ trend, betas }: Parameters): Float64Array {
  const values = new Float64Array(2 + betas.length + trend.deltas.length)
  values[0] = trend.k
  values[1] = trend.growth === 'logistic' ? -trend.k * trend.m : trend.m
  values.set(betas, 2)
  values.set(trend.deltas, 2 + betas.length)
  return values
}

function parametersOf(values: Float64Array, { trend, betas }: Parameters): Parameters {
  const plain = 2 + betas.length
  const [k, level] = [values[0]!, values[1]!]
  const m = trend.growth === 'logistic' ? -level / k : level
  return {
    trend: { ...trend, k, m, deltas: values.slice(plain) },
    betas: values.slice(2, plain),
  }
}
