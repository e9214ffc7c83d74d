import { largest } from './magnitude.ts'
/**
 * A smooth function to be minimised: its value at x, its gradient into the second argument. NaN
 * means that the search has to end; Infinity that x lies outside of where the function is defined.
 */
export type Smooth = (x: Float64Array, gradient: Float64Array) => number

type SmoothOptions = {
  readonly iterationsMax: number
  /** Gain of a step, relative to 1 + |value|, below which the search has converged. */
  readonly tolerance: number
  /** The longest move of one parameter in one step. */
  readonly stepMax: number
}

type SmoothMinimum = {
  readonly value: number
  readonly iterations: number
  readonly evaluations: number
  /** Whether the search ended because there was nothing more to gain. */
  readonly converged: boolean
}

export type Bfgs = {
  /** Where the last search ended: the best point ever evaluated. Overwritten by the next. */
  readonly x: Float64Array
  minimise(smooth: Smooth, start: ArrayLike<number>, options: SmoothOptions): SmoothMinimum
}

/**
 * BFGS on the inverse Hessian (Nocedal and Wright 2006, chapter 6) with a backtracking line search
 * on quadratic interpolation, for one number of parameters; nothing is allocated in a search.
 */
export function makeBfgs(size: number): Bfgs {
  const x = new Float64Array(size)
  const next = new Float64Array(size)
  const gradient = new Float64Array(size)
  const nextGradient = new Float64Array(size)
  const direction = new Float64Array(size)
  const image = new Float64Array(size)
  const inverse = new Float64Array(size * size)

  function reset(diagonal: number): void {
    inverse.fill(0)
    for (let i = 0; i < size; i++) inverse[i * size + i] = diagonal
  }

  /** The slope along the direction of descent. */
  function aim(): number {
    let slope = 0
    for (let i = 0; i < size; i++) {
      let sum = 0
      const row = i * size
      for (let j = 0; j < size; j++) sum -= inverse[row + j]! * gradient[j]!
      direction[i] = sum
      slope += sum * gradient[i]!
    }
    return slope
  }

  /** The BFGS update; false when the curvature along the step is not positive. */
  function improve(first: boolean): boolean {
    let curvature = 0
    let moved2 = 0
    let bent2 = 0
    for (let i = 0; i < size; i++) {
      const moved = next[i]! - x[i]!
      const bent = nextGradient[i]! - gradient[i]!
      curvature += moved * bent
      moved2 += moved * moved
      bent2 += bent * bent
    }
    if (!(curvature > 1e-14 * Math.sqrt(moved2 * bent2))) return false
    if (first) reset(curvature / bent2)
    let weight = 0
    for (let i = 0; i < size; i++) {
      let sum = 0
      for (let j = 0; j < size; j++) {
        sum += inverse[i * size + j]! * (nextGradient[j]! - gradient[j]!)
      }
      image[i] = sum
      weight += sum * (nextGradient[i]! - gradient[i]!)
    }
    const scale = (1 + weight / curvature) / curvature
    for (let i = 0; i < size; i++) {
      const movedI = next[i]! - x[i]!
      for (let j = 0; j < size; j++) {
        const movedJ = next[j]! - x[j]!
        inverse[i * size + j]! +=
          scale * movedI * movedJ - (movedI * image[j]! + image[i]! * movedJ) / curvature
      }
    }
    return true
  }

  function minimise(
    smooth: Smooth,
    start: ArrayLike<number>,
    { iterationsMax, tolerance, stepMax }: SmoothOptions,
  ): SmoothMinimum {
    for (let i = 0; i < size; i++) x[i] = start[i]!
    let value = smooth(x, gradient)
    let evaluations = 1
    const end = (iterations: number, converged: boolean): SmoothMinimum => ({
      value,
      iterations,
      evaluations,
      converged,
    })
    if (size === 0 || !Number.isFinite(value)) return end(0, Number.isFinite(value))
    let fresh = true
    let first = true
    reset(firstStep(gradient))
    for (let iteration = 1; iteration <= iterationsMax; iteration++) {
      let slope = aim()
      if (!(slope < 0)) {
        reset(firstStep(gradient))
        fresh = true
        slope = aim()
        if (!(slope < 0)) return end(iteration, true)
      }
      let step = Math.min(1, stepMax / largest(direction))
      let nextValue = Number.POSITIVE_INFINITY
      let found = false
      for (let k = 0; k < backtracksMax; k++) {
        for (let i = 0; i < size; i++) next[i] = x[i]! + step * direction[i]!
        nextValue = smooth(next, nextGradient)
        evaluations++
        if (Number.isNaN(nextValue)) return end(iteration, false)
        if (nextValue <= value + 1e-4 * step * slope && nextValue < value) {
          found = true
          break
        }
        const bend = nextValue - value - step * slope
        const vertex = bend > 0 && Number.isFinite(bend) ? (-slope * step * step) / (2 * bend) : 0
        step = Math.min(0.5 * step, Math.max(0.1 * step, vertex))
      }
      if (!found) {
        if (fresh) return end(iteration, true)
        reset(firstStep(gradient))
        fresh = true
        continue
      }
      const gained = value - nextValue
      const improved = improve(first)
      x.set(next)
      gradient.set(nextGradient)
      value = nextValue
      if (gained <= tolerance * (1 + Math.abs(value))) {
        if (fresh || !improved) return end(iteration, true)
        reset(firstStep(gradient))
        fresh = true
        first = true
        continue
      }
      first = false
      fresh = !improved
      if (fresh) reset(firstStep(gradient))
    }
    return end(iterationsMax, false)
  }

  return { x, minimise }
}

const backtracksMax = 30

/** A first step about as long as one unit of the parameters, whatever the gradient's scale. */
function firstStep(gradient: Float64Array): number {
  return 1 / Math.max(1, largest(gradient))
}
