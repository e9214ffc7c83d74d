import { expect, test } from 'vitest'
import { makeBfgs, type Smooth } from '../../src/numeric/bfgs.ts'

const options = { iterationsMax: 500, tolerance: 1e-14, stepMax: 2 }

/** Rosenbrock's valley in any number of dimensions. */
const valley: Smooth = (x, gradient) => {
  let value = 0
  gradient.fill(0)
  for (let i = 0; i + 1 < x.length; i++) {
    const bend = x[i + 1]! - x[i]! * x[i]!
    value += 100 * bend * bend + (1 - x[i]!) * (1 - x[i]!)
    gradient[i]! += -400 * bend * x[i]! - 2 * (1 - x[i]!)
    gradient[i + 1]! += 200 * bend
  }
  return value
}

test('the bottom of a curved valley is found, in a few dimensions and in many', () => {
  for (const size of [2, 5, 20]) {
    const bfgs = makeBfgs(size)
    const start = Array.from({ length: size }, (_, i) => (i % 2 === 0 ? -1.2 : 1))
    const { value, converged } = bfgs.minimise(valley, start, options)
    expect(converged).toBe(true)
    expect(value).toBeLessThan(size === 2 ? 1e-12 : 4)
    if (size === 2) for (const x of bfgs.x) expect(x).toBeCloseTo(1, 6)
  }
})

test('a search beside a cliff stays where the function is defined', () => {
  const bfgs = makeBfgs(1)
  const smooth: Smooth = ([x], gradient) => {
    if (!(x! > 0)) return Number.POSITIVE_INFINITY
    gradient[0] = 1 - 1 / x!
    return x! - Math.log(x!)
  }
  const { converged } = bfgs.minimise(smooth, [40], options)
  expect(converged).toBe(true)
  expect(bfgs.x[0]).toBeCloseTo(1, 6)
})

test('NaN ends the search at the best point so far, unconverged', () => {
  const bfgs = makeBfgs(2)
  let left = 20
  const { value, converged } = bfgs.minimise(
    (x, gradient) => (left-- > 0 ? valley(x, gradient) : Number.NaN),
    [-1.2, 1],
    options,
  )
  expect(converged).toBe(false)
  const gradient = new Float64Array(2)
  expect(value).toBe(valley(bfgs.x, gradient))
  expect(value).toBeLessThan(24.2)
})

test('no parameters, an undefined start and an exhausted number of iterations are told', () => {
  expect(makeBfgs(0).minimise(() => 3, [], options)).toMatchObject({ value: 3, converged: true })
  const nowhere = makeBfgs(1).minimise(() => Number.POSITIVE_INFINITY, [0], options)
  expect(nowhere.converged).toBe(false)
  const short = makeBfgs(2).minimise(valley, [-1.2, 1], { ...options, iterationsMax: 2 })
  expect(short).toMatchObject({ converged: false, iterations: 2 })
})
