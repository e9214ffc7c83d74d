import type { Budget } from '../numeric/budget.ts'

/** A series without season, less its first value, and the line before each step. */
export type Sample = {
  readonly y: Float64Array
  /** A and B before each step: two numbers a step. */
  readonly lines: Float64Array
  /** First errors that do not count, as in the authors' code: the line is young there. */
  readonly young: number
  /** What 1 - 1/θ is held at; undefined when it is to be estimated. */
  readonly share: number | undefined
}

export type Estimate = {
  alpha: number
  share: number
  levelStart: number
  /** Sum of squared errors that count, and a little for a first level far from the first value. */
  squares: number
  evaluations: number
}

/**
 * Least squares over all parameters. For a given α every error is linear in the first level and in
 * 1 - 1/θ, whether or not the line is dynamic, so both are solved for, and a search over α alone is
 * left: a grid, then parabolas through the best three. What is found is the best of all, not a
 * nearby one.
 */
export function estimate(sample: Sample, budget: Budget): Estimate {
  const best: Estimate = {
    alpha: 0.5,
    share: sample.share ?? 0.5,
    levelStart: 0,
    squares: Number.POSITIVE_INFINITY,
    evaluations: 0,
  }
  const trial = new Float64Array(3)
  const at = (alpha: number): number => {
    if (!budget.spend(sample.y.length)) return Number.POSITIVE_INFINITY
    best.evaluations++
    solve(sample, alpha, trial)
    if (trial[2]! < best.squares) {
      best.alpha = alpha
      best.levelStart = trial[0]!
      best.share = trial[1]!
      best.squares = trial[2]!
    }
    return trial[2]!
  }
  let bestAt = 0
  for (let i = 0; i <= gridSteps; i++) {
    const before = best.squares
    if (at(gridPoint(i)) < before) bestAt = i
  }
  const low = gridPoint(Math.max(0, bestAt - 1))
  const high = gridPoint(Math.min(gridSteps, bestAt + 1))
  refine(at, low, gridPoint(bestAt), high, best.squares)
  return best
}

/** The bounds of α in the authors' code; beyond them the level is a constant, or a random walk. */
const alphaMin = 0.1
const alphaMax = 0.99
const gridSteps = 12

function gridPoint(i: number): number {
  return alphaMin + ((alphaMax - alphaMin) * i) / gridSteps
}

/** Brent's minimisation (1973, chapter 5) between two points around a third. */
function refine(
  at: (alpha: number) => number,
  low: number,
  start: number,
  high: number,
  startValue: number,
): void {
  let [a, b, x, w, v] = [low, high, start, start, start]
  let [fx, fw, fv] = [startValue, startValue, startValue]
  let [step, before] = [0, 0]
  for (let i = 0; i < refinementsMax; i++) {
    const middle = 0.5 * (a + b)
    if (Math.abs(x - middle) <= 2 * tolerance - 0.5 * (b - a)) return
    const r = (x - w) * (fx - fv)
    let q = (x - v) * (fx - fw)
    let p = (x - v) * q - (x - w) * r
    q = 2 * (q - r)
    if (q > 0) p = -p
    q = Math.abs(q)
    const last = before
    before = step
    const parabolic = Math.abs(p) < Math.abs(0.5 * q * last) && p > q * (a - x) && p < q * (b - x)
    if (parabolic) {
      step = p / q
    } else {
      before = x < middle ? b - x : a - x
      step = 0.3819660112501051 * before
    }
    const u = x + (Math.abs(step) >= tolerance ? step : step > 0 ? tolerance : -tolerance)
    const fu = at(u)
    if (fu <= fx) {
      if (u >= x) a = x
      else b = x
      ;[v, w, x] = [w, x, u]
      ;[fv, fw, fx] = [fw, fx, fu]
    } else {
      if (u < x) a = u
      else b = u
      if (fu <= fw || w === x) {
        ;[v, w] = [w, u]
        ;[fv, fw] = [fw, fu]
      } else if (fu <= fv || v === x || v === w) {
        v = u
        fv = fu
      }
    }
  }
}

const refinementsMax = 30
const tolerance = 1e-6

/**
 * How much the first level counts for being near the first value, beside one for each error: where
 * α is near one, no error that counts says anything of it, and it would be any number.
 */
const firstWeight = 1e-4

/**
 * The first level, 1 - 1/θ in [0, 1] and the sum of squares for one α, into `out`. Level and error
 * are a + b ℓ₀ + c (1 - 1/θ); a missing value moves the level by what was expected.
 */
export function solve({ y, lines, young, share }: Sample, alpha: number, out: Float64Array): void {
  const keep = 1 - alpha
  let [power, a, b, c] = [1, 0, 1, 0]
  let [uu, u1, u2, s11, s12, s22] = [0, 0, 0, firstWeight, 0, 0]
  let seen = 0
  for (let t = 0; t < y.length; t++) {
    const term = power * lines[2 * t]! + ((1 - power * keep) / alpha) * lines[2 * t + 1]!
    power *= keep
    const value = y[t]!
    if (Number.isNaN(value)) {
      c += alpha * term
      continue
    }
    const u = value - a
    const x2 = c + term
    if (seen++ >= young) {
      uu += u * u
      u1 += u * b
      u2 += u * x2
      s11 += b * b
      s12 += b * x2
      s22 += x2 * x2
    }
    a += alpha * u
    b *= keep
    c *= keep
  }
  let weight = share ?? 0.5
  if (share === undefined) {
    const determinant = s11 * s22 - s12 * s12
    if (determinant > 1e-12 * s11 * s22) weight = (s11 * u2 - s12 * u1) / determinant
    weight = Math.min(1, Math.max(0, weight))
  }
  const level = (u1 - s12 * weight) / s11
  out[0] = level
  out[1] = weight
  out[2] = Math.max(
    0,
    uu -
      2 * (level * u1 + weight * u2) +
      level * level * s11 +
      2 * level * weight * s12 +
      weight * weight * s22,
  )
}
