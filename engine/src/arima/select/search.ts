import type { Candidate } from '../../family.ts'
import type { Budget } from '../../numeric/budget.ts'
import { assert } from '../../outcome.ts'
import { type Effort, estimateOrders, type OrdersEstimate, type OrdersSample } from '../estimate.ts'
import { carryShape, type Orders } from '../orders.ts'
import { nameOf } from './name.ts'
import { isStationaryBeyond } from './root-margin.ts'
import { firstModels, keyOf, neighbours, type Space } from './steps.ts'

/** The same differences with and without a centre: a model without a constant has none. */
export type Samples = { readonly centred: OrdersSample; readonly plain: OrdersSample }

export type Search = {
  readonly orders: Orders
  readonly estimate: OrdersEstimate
  /** The best first; at most `candidatesMax`. */
  readonly candidates: readonly Candidate[]
  /** Models that were fitted, and likelihoods that this took. */
  readonly models: number
  readonly evaluations: number
}

type Trial = {
  readonly orders: Orders
  readonly estimate: OrdersEstimate
  /** The criterion, infinite for a model that is refused. */
  readonly aicc: number
  readonly refused?: string
}

/**
 * The stepwise search of Hyndman and Khandakar (2008, Journal of Statistical Software 27(3)) with
 * the AICc of the exact likelihood throughout. Every fit starts at the best model tried that it
 * contains, so that a larger model is never the less likely one. The best few are then fitted from
 * another start; where that changes the best, the search goes on from it. The first of equal models
 * stays. Where every model is refused it is the smallest.
 */
export function searchOrders(samples: Samples, space: Space, budget: Budget): Search {
  const trials = new Map<string, Trial>()
  const refined = new Set<string>()
  let evaluations = 0
  let best: Trial | undefined

  function attempt(orders: Orders, effort: Effort): Trial {
    const estimate = estimateOrders(sampleOf(samples, orders), orders, effort, budget)
    evaluations += estimate.evaluations
    const trial = judge(orders, estimate)
    trials.set(keyOf(orders), trial)
    return trial
  }

  function consider(orders: Orders): boolean {
    const key = keyOf(orders)
    if (trials.has(key) || trials.size >= modelsMax) return false
    if (trials.size > 0 && budget.ended() !== undefined) return false
    const warm = warmStart(orders, trials, best)
    const trial = attempt(orders, warm === undefined ? cold : { ...quick, warm })
    if (!isBetter(trial, best)) return false
    best = trial
    return true
  }

  /** Goes to the first neighbour that is better, until all neighbours of the best few are known. */
  function walk(): void {
    for (let known = -1; known < trials.size; ) {
      known = trials.size
      const around = ranked(trials).slice(0, expandedMax)
      around.some(({ orders }) => neighbours(orders, space).some(consider))
    }
  }

  /** Whether a careful fit of the best few found a better model than the one it stood at. */
  function refine(): boolean {
    const from = best
    for (const trial of ranked(trials).slice(0, refinedMax)) {
      const key = keyOf(trial.orders)
      if (refined.has(key) || budget.ended() !== undefined) continue
      if (best !== undefined && trial.aicc > best.aicc + refineWithin) break
      refined.add(key)
      const careful = { ...thorough, warm: trial.estimate.x }
      const again = attempt(trial.orders, careful)
      if (again.aicc > trial.aicc) trials.set(key, trial)
      best = ranked(trials)[0]
    }
    return best !== undefined && keyOf(best.orders) !== keyOf(from!.orders)
  }

  for (const orders of firstModels(space)) consider(orders)
  do walk()
  while (best !== undefined && refine())
  const chosen = best ?? smallest(trials)
  return {
    orders: chosen.orders,
    estimate: chosen.estimate,
    candidates: report(trials),
    models: trials.size,
    evaluations,
  }
}

/** Roots nearer to one than this make forecasts that the next observation overturns. */
const rootMargin = 1.01
/** R stops after as many models. */
const modelsMax = 94
const candidatesMax = 20
/** Around fewer the search misses models that R finds; around more it gains nothing but time. */
const expandedMax = 3
const refinedMax = 3
/** A careful fit seldom gains more. */
const refineWithin = 2
const aiccTie = 1e-8

const quick: Effort = { starts: 0, tolerance: 1e-6, iterationsMax: 60 }
const cold: Effort = { starts: 1, tolerance: 1e-6, iterationsMax: 60 }
const thorough: Effort = { starts: 1, tolerance: 1e-10, iterationsMax: 200 }

function sampleOf(samples: Samples, { constant }: Orders): OrdersSample {
  return constant ? samples.centred : samples.plain
}

function judge(orders: Orders, estimate: OrdersEstimate): Trial {
  const refuse = (refused: string) => ({
    orders,
    estimate,
    aicc: Number.POSITIVE_INFINITY,
    refused,
  })
  if (!Number.isFinite(estimate.aicc)) return refuse('too few observations')
  if (!isStationaryBeyond(estimate.arma, rootMargin)) return refuse('a root next to one')
  return { orders, estimate, aicc: estimate.aicc }
}

function smallest(trials: ReadonlyMap<string, Trial>): Trial {
  const [first, ...others] = trials.values()
  assert(first !== undefined, 'a search tries its first model whatever the budget')
  return others.reduce(
    (least, trial) => (trial.estimate.parameters < least.estimate.parameters ? trial : least),
    first,
  )
}

function isBetter(trial: Trial, best: Trial | undefined): boolean {
  return trial.aicc < (best?.aicc ?? Number.POSITIVE_INFINITY) - (best === undefined ? 0 : aiccTie)
}

/**
 * The vector of the likeliest model tried whose terms are all among those of `orders`; of the best
 * model, cut down, when there is none.
 */
function warmStart(
  orders: Orders,
  trials: ReadonlyMap<string, Trial>,
  best: Trial | undefined,
): Float64Array | undefined {
  let from: Trial | undefined
  for (const trial of trials.values()) {
    if (!contains(orders, trial.orders)) continue
    if (from === undefined || trial.estimate.logLikelihood > from.estimate.logLikelihood) {
      from = trial
    }
  }
  const parent = from ?? best
  if (parent === undefined) return undefined
  return carryShape(parent.estimate.x, parent.orders, orders)
}

function contains(large: Orders, small: Orders): boolean {
  const terms = small.p <= large.p && small.q <= large.q && small.P <= large.P && small.Q <= large.Q
  return terms && (large.constant || !small.constant)
}

/** Those that are not refused, the best first; earlier ones before later ones of the same score. */
function ranked(trials: ReadonlyMap<string, Trial>): Trial[] {
  const taken = [...trials.values()].filter((trial) => trial.refused === undefined)
  return taken.sort((a, b) => a.aicc - b.aicc)
}

function report(trials: ReadonlyMap<string, Trial>): Candidate[] {
  const refused = [...trials.values()].filter((trial) => trial.refused !== undefined)
  return [...ranked(trials), ...refused]
    .slice(0, candidatesMax)
    .map((trial) =>
      trial.refused === undefined
        ? { name: nameOf(trial.orders), aicc: trial.aicc }
        : { name: nameOf(trial.orders), refused: trial.refused },
    )
}
