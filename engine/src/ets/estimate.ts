import type { Run } from '../family.ts'
import { limits } from '../limits.ts'
import { type Bfgs, makeBfgs } from '../numeric/bfgs.ts'
import type { Budget } from '../numeric/budget.ts'
import { uniformAt } from '../numeric/random.ts'
import type { Form } from './form.ts'
import type { Trace } from './kernel.ts'
import { makeObjective, type Objective, type Point } from './objective.ts'
import { smoothingAt } from './region.ts'
import type { EtsSpec } from './spec.ts'
import { firstStates } from './start.ts'

/** The best parameters of one form, and how the search went. */
export type Estimate = Point & {
  readonly form: Form
  readonly iterations: number
  readonly evaluations: number
  readonly converged: boolean
}

/** What the searches of one series share. */
export type Searches = {
  readonly trace: Trace
  readonly spec: Pick<EtsSpec, 'bounds' | 'prior'>
  readonly budget: Budget
  readonly run: Pick<Run, 'seed'>
  /** By size; their memory is used again and again. */
  readonly optimisers: Map<number, Bfgs>
}

type Start = Pick<Point, 'smoothing' | 'states'>

/**
 * Minimises the objective of a form. `quick` searches from the best of all starts to a coarse end;
 * else the search is repeated from several starts, down to what rounding allows. Undefined when no
 * start is defined (a multiplicative form far from the data), or the budget ended before any.
 */
export function estimate(
  searches: Searches,
  form: Form,
  known: readonly Start[],
  quick: boolean,
): Estimate | undefined {
  const objective = makeObjective(searches.trace, form, searches.spec, searches.budget)
  const starts = [...known, ...plainStarts(searches, form)]
    .map((start) => objective.at(start))
    .filter(({ value }) => Number.isFinite(value))
    .sort((a, b) => a.value - b.value)
  let best: Estimate | undefined
  for (const start of unlike(starts, quick ? quickStarts : thoroughStarts)) {
    const found = search(searches, objective, form, start, quick)
    const total = {
      iterations: (best?.iterations ?? 0) + found.iterations,
      evaluations: (best?.evaluations ?? starts.length) + found.evaluations,
    }
    best = { ...(best === undefined || found.value < best.value ? found : best), ...total }
    if (searches.budget.ended() !== undefined) break
  }
  return best
}

/** Searches of one estimate, each from elsewhere: a second one finds a better optimum at times. */
const quickStarts = 2
const thoroughStarts = 4

/** The first starts that lie apart from each other: alike ones lead to the same optimum. */
function unlike(starts: readonly Point[], count: number): readonly Point[] {
  const taken: Point[] = []
  for (const start of starts) {
    if (taken.length === count) break
    const near = taken.some(({ smoothing }) =>
      smoothing.every((value, i) => Math.abs(value - start.smoothing[i]!) < alikeWithin[i]!),
    )
    if (!near) taken.push(start)
  }
  return taken
}

/** Alpha, beta, gamma and phi this near lead to the same optimum. */
const alikeWithin = [0.25, 0.15, 0.2, 0.1]

function search(
  { trace, budget, optimisers }: Searches,
  objective: Objective,
  form: Form,
  start: Point,
  quick: boolean,
): Estimate {
  let bfgs = optimisers.get(objective.size)
  if (bfgs === undefined) {
    bfgs = makeBfgs(objective.size)
    optimisers.set(objective.size, bfgs)
  }
  const x = new Float64Array(objective.size)
  let [iterations, evaluations] = [0, 0]
  let best: Estimate = { ...start, form, iterations, evaluations, converged: false }
  for (let round = 0; round < roundsMax; round++) {
    if (round === 0 || !objective.unstick(x)) {
      if (round > 0) break
      objective.place(start, noiseOf(trace, form, objective, start))
    }
    const options = {
      iterationsMax: limits.iterationsMax,
      tolerance: quick ? 3e-6 : 1e-9,
      stepMax: 8,
    }
    const found = bfgs.minimise(objective.smooth, x, options)
    iterations += found.iterations
    evaluations += found.evaluations
    x.set(bfgs.x)
    if (found.value <= best.value) {
      const point = objective.pointAt(x, found.value)
      best = { form, ...point, iterations, evaluations, converged: found.converged }
    }
    if (budget.ended() !== undefined) break
  }
  return { ...best, iterations, evaluations }
}

/** Searches after a share was moved off an end. */
const roundsMax = 3

/** The size of an error at a start, in the units of the data. */
function noiseOf(trace: Trace, form: Form, objective: Objective, start: Start): number {
  objective.at(start)
  const error = Math.sqrt(trace.sums[0]! / trace.observed)
  return form.error === 'A' ? error : error * Math.max(1e-6, Math.abs(start.states[0]!))
}

/** Shares of each smoothing parameter's interval: alpha, beta, gamma, phi. */
const plainShares: readonly (readonly number[])[] = [
  [0.2, 0.1, 0.1, 0.9],
  [0.6, 0.1, 0.1, 0.9],
  [0.9, 0.3, 0.3, 0.9],
  [0.1, 0.2, 0.5, 0.9],
  [0.05, 0.5, 0.1, 0.6],
]

/** Two more are drawn, so that another seed looks elsewhere, too. */
const drawnStarts = 2

function plainStarts({ trace, run }: Searches, form: Form): Start[] {
  const drawn = Array.from({ length: drawnStarts }, (_, path) =>
    Array.from({ length: 4 }, (_, step) => uniformAt(run.seed, path, step)),
  )
  const smoothings = [...plainShares, ...drawn].map((shares) => {
    const smoothing = new Float64Array(4)
    smoothingAt(Float64Array.from(shares), form, 'usual', smoothing)
    return smoothing
  })
  return firstStates(trace.y, form).flatMap((states) =>
    smoothings.map((smoothing) => ({ smoothing, states })),
  )
}
