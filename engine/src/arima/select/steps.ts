import type { Orders } from '../orders.ts'

/** The largest orders of a search; `total` bounds p + q + P + Q. */
export type Maxima = {
  readonly p: number
  readonly q: number
  readonly P: number
  readonly Q: number
  readonly total: number
}

/** What a search may choose from: only the terms and the constant vary. */
export type Space = {
  readonly d: number
  readonly D: number
  readonly seasonLength: number
  readonly differenceLag: number
  readonly maxima: Maxima
  /** Whether models with a constant are candidates, and whether those without are. */
  readonly constants: readonly boolean[]
}

export type Terms = Pick<Orders, 'p' | 'q' | 'P' | 'Q' | 'constant'>

/** The models that a search begins with. */
export function firstModels(space: Space): Orders[] {
  const { maxima, constants, seasonLength } = space
  const constant = constants[0]!
  const season = seasonLength > 1 ? 1 : 0
  const at = (p: number, q: number, P: number, Q: number, withConstant = constant) =>
    within({ p, q, P, Q, constant: withConstant }, maxima)
  const first = [
    at(2, 2, season, season),
    at(0, 0, 0, 0),
    at(1, 0, season, 0),
    at(0, 1, 0, season),
    ...constants.slice(1).map((other) => at(0, 0, 0, 0, other)),
  ]
  return first.map((terms) => ordersOf(terms, space))
}

/**
 * The neighbours of a model: each of p, q, P, Q, or a pair of them, by one up or down, and the
 * constant in or out (step 2, and the opposite pairs that R's auto.arima adds).
 */
export function neighbours(orders: Orders, space: Space): Orders[] {
  const { maxima, constants } = space
  const steps: Terms[] = []
  for (const [p, q, P, Q] of moves) {
    const terms = {
      p: orders.p + p!,
      q: orders.q + q!,
      P: orders.P + P!,
      Q: orders.Q + Q!,
      constant: orders.constant,
    }
    if (isWithin(terms, maxima)) steps.push(terms)
  }
  if (constants.includes(!orders.constant)) steps.push({ ...orders, constant: !orders.constant })
  return steps.map((terms) => ordersOf(terms, space))
}

/** A word for the terms: equal for equal candidates of one search. */
export function keyOf({ p, q, P, Q, constant }: Terms): string {
  return `${p},${q},${P},${Q},${constant ? 1 : 0}`
}

function ordersOf({ p, q, P, Q, constant }: Terms, space: Space): Orders {
  const { d, D, seasonLength, differenceLag } = space
  return { p, d, q, P, D, Q, seasonLength, constant, differenceLag }
}

/** Seasonal steps first, smaller models before larger ones. */
const moves = [
  [0, 0, -1, 0],
  [0, 0, 0, -1],
  [0, 0, 1, 0],
  [0, 0, 0, 1],
  [0, 0, -1, -1],
  [0, 0, -1, 1],
  [0, 0, 1, -1],
  [0, 0, 1, 1],
  [-1, 0, 0, 0],
  [0, -1, 0, 0],
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [-1, -1, 0, 0],
  [-1, 1, 0, 0],
  [1, -1, 0, 0],
  [1, 1, 0, 0],
] as const

function isWithin({ p, q, P, Q }: Terms, maxima: Maxima): boolean {
  const least = Math.min(p, q, P, Q)
  const inside = p <= maxima.p && q <= maxima.q && P <= maxima.P && Q <= maxima.Q
  return least >= 0 && inside && p + q + P + Q <= maxima.total
}

/** A model cut down to the maxima: the total takes from the seasonal terms last. */
function within(terms: Terms, maxima: Maxima): Terms {
  const cut = {
    p: Math.min(terms.p, maxima.p),
    q: Math.min(terms.q, maxima.q),
    P: Math.min(terms.P, maxima.P),
    Q: Math.min(terms.Q, maxima.Q),
  }
  for (const field of ['p', 'q', 'P', 'Q'] as const) {
    const over = cut.p + cut.q + cut.P + cut.Q - maxima.total
    if (over > 0) cut[field] -= Math.min(over, cut[field])
  }
  return { ...cut, constant: terms.constant }
}
