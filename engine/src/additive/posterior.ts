import type { Budget } from '../numeric/budget.ts'
import { factorise, solveLower, solveUpper } from './cholesky.ts'
import type { Equations } from './equations.ts'
import { minimiseSparse } from './sparse.ts'

/**
 * The priors of Taylor and Letham (2018), on the scaled series: k and m normal with deviation 5,
 * columns normal with their scales, changes Laplace, the noise half normal with deviation 0.5.
 */
export type Priors = {
  /** 1 / variance of the rate, the line at time 0 and the columns. */
  readonly precisions: Float64Array
  /** In a logistic trend the prior is that of m, the time at which the line is 0. */
  readonly logistic: boolean
  /** Scale of the Laplace prior of the changes. */
  readonly changeScale: number
  /** The least variance of the noise; below it there is nothing but rounding. */
  readonly varianceMin: number
}

export function makePriors(
  columnScales: Float64Array,
  { changeScale, varianceMin, logistic }: Omit<Priors, 'precisions'>,
): Priors {
  const precisions = new Float64Array(2 + columnScales.length).fill(offsetPrecision)
  if (logistic) precisions[1] = 0
  for (let j = 0; j < columnScales.length; j++) precisions[2 + j] = 1 / columnScales[j]! ** 2
  return { precisions, changeScale, varianceMin, logistic }
}

const offsetPrecision = 1 / 25

/** The variance of the noise with the highest density, given the residual sum of squares. */
export function varianceOf(squares: number, observations: number, priors: Priors): number {
  // The positive root of 4 v² + n v - squares = 0, written without cancellation.
  const root = Math.sqrt(observations * observations + 16 * squares)
  return Math.max(priors.varianceMin, (2 * squares) / (observations + root))
}

/** Minus the log posterior density, without constants; parameters as in `Equations`. */
export function lossOf(
  parameters: Float64Array,
  variance: number,
  squares: number,
  observations: number,
  { precisions, changeScale, logistic }: Priors,
): number {
  let loss = (observations / 2) * Math.log(variance) + squares / (2 * variance) + 2 * variance
  const plain = precisions.length
  if (logistic) loss += 0.5 * offsetPrecision * (parameters[1]! / parameters[0]!) ** 2
  for (let i = 0; i < plain; i++) loss += 0.5 * precisions[i]! * parameters[i]! * parameters[i]!
  for (let i = plain; i < parameters.length; i++) loss += Math.abs(parameters[i]!) / changeScale
  return loss
}

/** The parameters and the variance with the highest density under quadratic equations. */
export type Peak = {
  readonly parameters: Float64Array
  readonly variance: number
  readonly squares: number
  readonly loss: number
  readonly rounds: number
}

/**
 * Takes turns: the exact parameters given the variance, the exact variance given the parameters.
 * From above, this reaches the mode with the largest variance. `damping` pulls towards the point
 * of the equations, relative to the diagonal.
 */
export function peakOf(
  equations: Equations,
  origin: Float64Array,
  startVariance: number,
  priors: Priors,
  damping: number,
  budget: Budget,
): Peak {
  const { size, gram, observations } = equations
  const parameters = origin.slice()
  const toward = new Float64Array(size)
  for (let i = 0; i < size; i++) {
    let sum = equations.slope[i]! + damping * gram[i * size + i]! * origin[i]!
    for (let j = 0; j < size; j++) sum += gram[i * size + j]! * origin[j]!
    toward[i] = sum
  }
  const solver = makeSolver(equations, origin, toward, priors, damping, budget)
  let variance = startVariance
  let squares = equations.squares
  let rounds = 0
  for (; rounds < roundsMax; rounds++) {
    solver(variance, parameters)
    squares = squaresAt(equations, origin, parameters)
    const next = varianceOf(squares, observations, priors)
    const moved = Math.abs(next - variance)
    variance = next
    if (moved <= 1e-11 * variance || !budget.spend(plainWork(equations))) break
  }
  const loss = lossOf(parameters, variance, squares, observations, priors)
  return { parameters, variance, squares, loss, rounds }
}

const roundsMax = 200

/** What the elimination costs, in observations of a likelihood. */
function plainWork({ size, plain }: Equations): number {
  return Math.ceil((plain * (plain * plain + size * size)) / 4_000)
}

/** The residual sum of squares of the equations at some parameters. */
function squaresAt(
  { size, gram, slope, squares }: Equations,
  origin: Float64Array,
  parameters: Float64Array,
): number {
  let sum = squares
  for (let i = 0; i < size; i++) {
    const moved = parameters[i]! - origin[i]!
    if (moved === 0) continue
    let image = 0
    for (let j = 0; j < size; j++) image += gram[i * size + j]! * (parameters[j]! - origin[j]!)
    sum += moved * (image - 2 * slope[i]!)
  }
  return Math.max(0, sum)
}

/**
 * The minimum over all parameters for one variance: those with normal priors are eliminated, the
 * changes are found among themselves. `parameters` holds a start of the changes and gets the
 * result.
 */
function makeSolver(
  { size, plain, gram }: Equations,
  origin: Float64Array,
  toward: Float64Array,
  priors: Priors,
  damping: number,
  budget: Budget,
): (variance: number, parameters: Float64Array) => void {
  const changes = size - plain
  const root = new Float64Array(plain * plain)
  const coupled = new Float64Array(plain * changes)
  const image = new Float64Array(plain)
  const reduced = new Float64Array(changes * changes)
  const pull = new Float64Array(changes)
  const deltas = new Float64Array(changes)
  return (variance, parameters) => {
    for (let i = 0; i < plain; i++) {
      for (let j = 0; j <= i; j++) root[i * plain + j] = gram[i * size + j]!
      root[i * plain + i]! *= 1 + damping
      root[i * plain + i]! += variance * priors.precisions[i]!
      for (let j = 0; j < changes; j++) coupled[i * changes + j] = gram[i * size + plain + j]!
      image[i] = toward[i]!
    }
    if (priors.logistic) addOffsetPrior(origin, variance * offsetPrecision, root, plain, image)
    factorise(root, plain, plain)
    solveLower(root, plain, plain, image, 1)
    if (changes > 0) {
      solveLower(root, plain, plain, coupled, changes)
      eliminate(gram, size, plain, damping, coupled, reduced)
      for (let j = 0; j < changes; j++) {
        let sum = toward[plain + j]!
        for (let i = 0; i < plain; i++) sum -= coupled[i * changes + j]! * image[i]!
        pull[j] = sum
        deltas[j] = parameters[plain + j]!
      }
      minimiseSparse(reduced, pull, variance / priors.changeScale, deltas, budget)
      for (let i = 0; i < plain; i++) {
        let sum = image[i]!
        for (let j = 0; j < changes; j++) sum -= coupled[i * changes + j]! * deltas[j]!
        image[i] = sum
      }
    }
    solveUpper(root, plain, plain, image)
    parameters.set(image)
    parameters.set(deltas, plain)
  }
}

/**
 * The prior of m = -level / rate, linearised: (m + a dRate + b dLevel)², where a rate + b level = 0
 * because m depends on their ratio only.
 */
function addOffsetPrior(
  origin: Float64Array,
  weight: number,
  root: Float64Array,
  plain: number,
  image: Float64Array,
): void {
  const [rate, level] = [origin[0]!, origin[1]!]
  const a = level / (rate * rate)
  const b = -1 / rate
  root[0]! += weight * a * a
  root[plain]! += weight * a * b
  root[plain + 1]! += weight * b * b
  image[0]! -= weight * a * b * level
  image[1]! -= weight * b * b * level
}

/** What the changes have to themselves: their block of the gram less what the others explain. */
function eliminate(
  gram: Float64Array,
  size: number,
  plain: number,
  damping: number,
  coupled: Float64Array,
  reduced: Float64Array,
): void {
  const changes = size - plain
  for (let j = 0; j < changes; j++) {
    for (let l = 0; l <= j; l++) {
      reduced[j * changes + l] = gram[(plain + j) * size + plain + l]!
    }
    reduced[j * changes + j]! *= 1 + damping
  }
  for (let i = 0; i < plain; i++) {
    const row = i * changes
    for (let j = 0; j < changes; j++) {
      const weight = coupled[row + j]!
      for (let l = 0; l <= j; l++) reduced[j * changes + l]! -= weight * coupled[row + l]!
    }
  }
  for (let j = 0; j < changes; j++) {
    for (let l = 0; l < j; l++) reduced[l * changes + j] = reduced[j * changes + l]!
  }
}
