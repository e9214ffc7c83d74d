import { arLags, maLags, type Orders } from './orders.ts'
import { type Arma, armaFromPartials, multiply, type Polynomials } from './parameters.ts'
import { partialFromReal, stepUp } from './partials.ts'

/**
 * The polynomials of some orders, filled in place for each point of a search. The search's vector
 * has the partials of φ, θ, Φ and Θ, each through the inverse of `partialFromReal`.
 */
export type Shape = Polynomials & {
  readonly orders: Orders
  readonly plainAr: Float64Array
  readonly plainMa: Float64Array
  readonly seasonalAr: Float64Array
  readonly seasonalMa: Float64Array
}

export function makeShape(orders: Orders): Shape {
  return {
    orders,
    ar: new Float64Array(arLags(orders)),
    ma: new Float64Array(maLags(orders)),
    plainAr: new Float64Array(orders.p),
    plainMa: new Float64Array(orders.q),
    seasonalAr: new Float64Array(orders.P),
    seasonalMa: new Float64Array(orders.Q),
  }
}

/** Fills the polynomials at a point of the search. */
export function fillShape(shape: Shape, x: Float64Array): void {
  const { plainAr, plainMa, seasonalAr, seasonalMa, ar, ma } = shape
  const { seasonLength } = shape.orders
  let at = fillPart(plainAr, x, 0, 1)
  at = fillPart(plainMa, x, at, -1)
  at = fillPart(seasonalAr, x, at, 1)
  fillPart(seasonalMa, x, at, -1)
  multiply(plainAr, seasonalAr, seasonLength, -1, ar)
  multiply(plainMa, seasonalMa, seasonLength, 1, ma)
}

/** The process at a point of the search, on its own. */
export function armaOf(orders: Orders, x: Float64Array): Arma {
  const { p, q, P, seasonLength } = orders
  const partials = x.map(partialFromReal)
  return armaFromPartials(partials.slice(0, p), partials.slice(p, p + q), {
    ar: partials.slice(p + q, p + q + P),
    ma: partials.slice(p + q + P),
    seasonLength,
  })
}

function fillPart(part: Float64Array, x: Float64Array, from: number, sign: 1 | -1): number {
  for (let i = 0; i < part.length; i++) part[i] = partialFromReal(x[from + i]!)
  stepUp(part)
  if (sign < 0) for (let i = 0; i < part.length; i++) part[i] = -part[i]!
  return from + part.length
}
