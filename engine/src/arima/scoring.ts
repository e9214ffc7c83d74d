/**
 * A negative log-likelihood per value for a search by scoring: `evaluate` gives its value, and
 * `differentiate` the gradient and the information matrix at the point that was last evaluated. NaN
 * means that the search has to end; Infinity that a point lies outside.
 */
export type Scored = {
  evaluate(x: Float64Array): number
  /** False when the search has to end. */
  differentiate(
    x: Float64Array,
    value: number,
    gradient: Float64Array,
    information: Float64Array,
  ): boolean
}

export type ScoringOptions = {
  readonly iterationsMax: number
  /** Gain of a step below which the search has converged; twice in a row, so no accident. */
  readonly tolerance: number
}

export type ScoringMinimum = {
  /** The best point ever accepted. */
  readonly x: Float64Array
  readonly value: number
  readonly iterations: number
  readonly converged: boolean
}

/**
 * Fisher scoring damped as by Levenberg and Marquardt (Nocedal and Wright 2006, section 10.3): the
 * expected information stands for the Hessian, which costs nothing beyond the gradient and follows
 * the long narrow valleys of ARMA likelihoods.
 */
export function minimiseScored(
  scored: Scored,
  start: ArrayLike<number>,
  { iterationsMax, tolerance }: ScoringOptions,
): ScoringMinimum {
  const x = Float64Array.from(start)
  const size = x.length
  const next = new Float64Array(size)
  const gradient = new Float64Array(size)
  const information = new Float64Array(size * size)
  const factor = new Float64Array(size * size)
  const step = new Float64Array(size)
  let value = scored.evaluate(x)
  const end = (iterations: number, converged: boolean) => ({ x, value, iterations, converged })
  if (size === 0 || !Number.isFinite(value)) return end(0, Number.isFinite(value))
  let damping = 1e-3
  let small = 0
  for (let iteration = 1; iteration <= iterationsMax; iteration++) {
    if (!scored.differentiate(x, value, gradient, information)) return end(iteration, false)
    let nextValue = Number.POSITIVE_INFINITY
    let expected = 0
    let tries = 0
    for (; tries < triesMax; tries++) {
      expected = solve(information, gradient, damping, factor, step)
      for (let i = 0; i < size; i++) next[i] = x[i]! + step[i]!
      nextValue = scored.evaluate(next)
      if (Number.isNaN(nextValue)) return end(iteration, false)
      if (nextValue < value - acceptedShare * expected) break
      damping = Math.max(dampingMin, damping) * 8
    }
    if (tries === triesMax) return end(iteration, true)
    const gained = value - nextValue
    x.set(next)
    value = nextValue
    if (gained > 0.5 * expected) damping *= tries === 0 ? 0.1 : 0.5
    small = gained <= tolerance ? small + 1 : 0
    if (small === 2) return end(iteration, true)
  }
  return end(iterationsMax, false)
}

const triesMax = 14
const dampingMin = 1e-4
/** The share of the expected gain that makes a step worth taking. */
const acceptedShare = 1e-4
/** Longer moves leave the region where the transform of the parameters is anything but flat. */
const stepMax = 1.5

/** The damped step into `step`; returns the gain that it should bring. */
function solve(
  information: Float64Array,
  gradient: Float64Array,
  damping: number,
  factor: Float64Array,
  step: Float64Array,
): number {
  const size = gradient.length
  let trace = 0
  for (let i = 0; i < size; i++) trace += information[i * size + i]!
  const least = Math.max(1e-9 * trace, 1e-12)
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = information[i * size + j]!
      if (i === j) sum += damping * (sum + least) + least * 1e-3
      for (let k = 0; k < j; k++) sum -= factor[i * size + k]! * factor[j * size + k]!
      if (i === j) factor[i * size + i] = Math.sqrt(Math.max(sum, 1e-3 * least))
      else factor[i * size + j] = sum / factor[j * size + j]!
    }
    let right = -gradient[i]!
    for (let k = 0; k < i; k++) right -= factor[i * size + k]! * step[k]!
    step[i] = right / factor[i * size + i]!
  }
  for (let i = size - 1; i >= 0; i--) {
    let sum = step[i]!
    for (let k = i + 1; k < size; k++) sum -= factor[k * size + i]! * step[k]!
    step[i] = sum / factor[i * size + i]!
  }
  let longest = 0
  for (let i = 0; i < size; i++) longest = Math.max(longest, Math.abs(step[i]!))
  if (longest > stepMax) for (let i = 0; i < size; i++) step[i]! *= stepMax / longest
  let slope = 0
  let bend = 0
  for (let i = 0; i < size; i++) {
    slope += gradient[i]! * step[i]!
    for (let j = 0; j < size; j++) {
      const entry = j <= i ? information[i * size + j]! : information[j * size + i]!
      bend += step[i]! * entry * step[j]!
    }
  }
  return Math.max(0, -slope - 0.5 * bend)
}
