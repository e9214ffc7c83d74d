/** A function to be minimised. NaN means that it could not be evaluated: the search ends. */
export type Objective = (x: Float64Array) => number

export type Minimum = {
  readonly x: Float64Array
  readonly value: number
  readonly iterations: number
  /** Whether the search ended because there was nothing more to gain. */
  readonly converged: boolean
}

export type MinimiseOptions = {
  readonly iterationsMax: number
  /** Relative gain of a step below which the search has converged. */
  readonly tolerance: number
  readonly onIteration?: (iteration: number) => void
}

/**
 * BFGS on the inverse Hessian (Nocedal and Wright 2006, chapter 6) with central differences and a
 * backtracking line search. The best point ever evaluated is kept, whatever happens.
 */
export function minimise(
  objective: Objective,
  start: Float64Array,
  options: MinimiseOptions,
): Minimum {
  const size = start.length
  let x: Float64Array = start.slice()
  let value = objective(x)
  if (size === 0 || !Number.isFinite(value)) {
    return { x, value, iterations: 0, converged: size === 0 && Number.isFinite(value) }
  }
  let gradient: Float64Array = new Float64Array(size)
  if (!differentiate(objective, x, gradient)) return { x, value, iterations: 0, converged: false }
  const inverse = identity(size)
  let fresh = true
  for (let iteration = 1; iteration <= options.iterationsMax; iteration++) {
    options.onIteration?.(iteration)
    const direction = descent(inverse, gradient)
    const step = search(objective, x, value, gradient, direction)
    if (step === undefined) {
      if (fresh) return { x, value, iterations: iteration, converged: true }
      reset(inverse)
      fresh = true
      continue
    }
    const gained = value - step.value
    const nextGradient = new Float64Array(size)
    const complete = differentiate(objective, step.x, nextGradient)
    const moved = subtract(step.x, x)
    const bent = subtract(nextGradient, gradient)
    x = step.x
    value = step.value
    gradient = nextGradient
    if (!complete) return { x, value, iterations: iteration, converged: false }
    if (gained <= options.tolerance * (1 + Math.abs(value))) {
      if (fresh || largest(gradient) < 1e-6)
        return { x, value, iterations: iteration, converged: true }
      reset(inverse)
      fresh = true
      continue
    }
    fresh = !improve(inverse, moved, bent)
    if (fresh) reset(inverse)
  }
  return { x, value, iterations: options.iterationsMax, converged: false }
}

/** Balances rounding (1e-16 / step) and curvature (step²) for objectives of order one. */
const differenceStep = 1e-5
/** Longer steps leave the region where the transform of the parameters is anything but flat. */
const stepMax = 2
const backtracksMax = 30

function differentiate(objective: Objective, x: Float64Array, out: Float64Array): boolean {
  for (let i = 0; i < x.length; i++) {
    const centre = x[i]!
    x[i] = centre + differenceStep
    const above = objective(x)
    x[i] = centre - differenceStep
    const below = objective(x)
    x[i] = centre
    out[i] = (above - below) / (2 * differenceStep)
    if (!Number.isFinite(out[i]!)) return false
  }
  return true
}

function search(
  objective: Objective,
  x: Float64Array,
  value: number,
  gradient: Float64Array,
  direction: Float64Array,
): { x: Float64Array; value: number } | undefined {
  const slope = dot(gradient, direction)
  if (!(slope < 0)) return undefined
  let step = Math.min(1, stepMax / largest(direction))
  for (let i = 0; i < backtracksMax; i++) {
    const next = x.map((centre, k) => centre + step * direction[k]!)
    const nextValue = objective(next)
    if (Number.isNaN(nextValue)) return undefined
    if (nextValue <= value + 1e-4 * step * slope && nextValue < value) {
      return { x: next, value: nextValue }
    }
    step *= 0.4
  }
  return undefined
}

function descent(inverse: Float64Array, gradient: Float64Array): Float64Array {
  const size = gradient.length
  const direction = new Float64Array(size)
  for (let i = 0; i < size; i++) {
    let sum = 0
    for (let j = 0; j < size; j++) sum += inverse[i * size + j]! * gradient[j]!
    direction[i] = -sum
  }
  return direction
}

/** The BFGS update; false when the curvature along the step is not positive. */
function improve(inverse: Float64Array, moved: Float64Array, bent: Float64Array): boolean {
  const size = moved.length
  const curvature = dot(moved, bent)
  if (!(curvature > 1e-14 * Math.sqrt(dot(moved, moved) * dot(bent, bent)))) return false
  const image = new Float64Array(size)
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) image[i]! += inverse[i * size + j]! * bent[j]!
  }
  const weight = (1 + dot(bent, image) / curvature) / curvature
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const cross = (moved[i]! * image[j]! + image[i]! * moved[j]!) / curvature
      inverse[i * size + j]! += weight * moved[i]! * moved[j]! - cross
    }
  }
  return true
}

function identity(size: number): Float64Array {
  const matrix = new Float64Array(size * size)
  for (let i = 0; i < size; i++) matrix[i * size + i] = 1
  return matrix
}

function reset(matrix: Float64Array): void {
  const size = Math.sqrt(matrix.length)
  matrix.set(identity(size))
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

function subtract(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]!)
}

function largest(a: Float64Array): number {
  let most = 0
  for (const value of a) most = Math.max(most, Math.abs(value))
  return most
}
