import type { Budget } from '../numeric/budget.ts'
import { factorise, solveLower, solveUpper } from './cholesky.ts'

/**
 * Minimises x'Ax / 2 - c'x + penalty Σ |x_i| exactly: feature-sign search (Lee, Battle, Raina and
 * Ng 2007). A is size × size, row-major and positive; `x` holds a start and gets the minimum, or
 * the best so far when the budget ends.
 */
export function minimiseSparse(
  a: Float64Array,
  c: Float64Array,
  penalty: number,
  x: Float64Array,
  budget: Pick<Budget, 'spend'>,
): void {
  const size = x.length
  const signs = Float64Array.from(x, Math.sign)
  const refused = new Uint8Array(size)
  let value = objective(a, c, penalty, x)
  // Each round lowers the value, and there are finitely many choices of signs.
  for (let round = 0; round < 20 * size + 20; round++) {
    const active = signs.reduce((count, sign) => count + (sign === 0 ? 0 : 1), 0)
    if (!budget.spend(Math.ceil((active * (active * active + 3 * size * size)) / pointWork))) return
    const lowered = moveActive(a, c, penalty, x, signs, value)
    const moved = lowered < value - 1e-15 * Math.abs(value)
    value = Math.min(value, lowered)
    if (moved) {
      refused.fill(0)
      continue
    }
    const entering = steepest(a, c, penalty, x, signs, refused)
    if (entering < 0) return
    // Rounding may refuse to move what enters: it is not tried again until something has moved.
    refused[entering] = 1
  }
}

/** Products that cost about as much as one observation of a likelihood. */
const pointWork = 1_000

/** The zero with the steepest descent beyond the penalty gets its sign; -1 when there is none. */
function steepest(
  a: Float64Array,
  c: Float64Array,
  penalty: number,
  x: Float64Array,
  signs: Float64Array,
  refused: Uint8Array,
): number {
  const size = x.length
  let best = -1
  let most = penalty * (1 + 1e-10)
  let sign = 0
  for (let i = 0; i < size; i++) {
    if (x[i] !== 0) continue
    signs[i] = 0
    if (refused[i] === 1) continue
    let gradient = -c[i]!
    for (let j = 0; j < size; j++) gradient += a[i * size + j]! * x[j]!
    if (Math.abs(gradient) <= most) continue
    most = Math.abs(gradient)
    best = i
    sign = -Math.sign(gradient)
  }
  if (best >= 0) signs[best] = sign
  return best
}

/** Moves to the best point on the way to the minimum that the present signs would have. */
function moveActive(
  a: Float64Array,
  c: Float64Array,
  penalty: number,
  x: Float64Array,
  signs: Float64Array,
  value: number,
): number {
  const size = x.length
  const active: number[] = []
  for (let i = 0; i < size; i++) if (signs[i] !== 0) active.push(i)
  const count = active.length
  if (count === 0) return value
  const root = new Float64Array(count * count)
  const target = new Float64Array(count)
  for (let p = 0; p < count; p++) {
    const i = active[p]!
    target[p] = c[i]! - penalty * signs[i]!
    for (let q = 0; q <= p; q++) root[p * count + q] = a[i * size + active[q]!]!
  }
  factorise(root, count, count)
  solveLower(root, count, count, target, 1)
  solveUpper(root, count, count, target)
  const start = x.slice()
  const steps = [1]
  for (let p = 0; p < count; p++) {
    const from = start[active[p]!]!
    const share = from / (from - target[p]!)
    if (share > 0 && share < 1) steps.push(share)
  }
  let best = value
  let taken = 0
  for (const step of steps) {
    place(x, start, active, target, step)
    const reached = objective(a, c, penalty, x)
    if (reached < best) {
      best = reached
      taken = step
    }
  }
  place(x, start, active, target, taken)
  for (const i of active) signs[i] = Math.sign(x[i]!)
  return best
}

function place(
  x: Float64Array,
  start: Float64Array,
  active: readonly number[],
  target: Float64Array,
  step: number,
): void {
  for (let p = 0; p < active.length; p++) {
    const i = active[p]!
    const from = start[i]!
    const crossing = from / (from - target[p]!)
    // At the step where it crosses zero, a change is zero, whatever rounding makes of it.
    x[i] = step === crossing && from !== 0 ? 0 : from + step * (target[p]! - from)
  }
}

function objective(a: Float64Array, c: Float64Array, penalty: number, x: Float64Array): number {
  const size = x.length
  let value = 0
  for (let i = 0; i < size; i++) {
    const xi = x[i]!
    if (xi === 0) continue
    let sum = 0
    for (let j = 0; j < size; j++) sum += a[i * size + j]! * x[j]!
    value += xi * (0.5 * sum - c[i]!) + penalty * Math.abs(xi)
  }
  return value
}
