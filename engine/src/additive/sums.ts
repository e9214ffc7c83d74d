import type { Rows } from './design.ts'
import { bend, piecesOf, type Trend } from './trend.ts'

/** The parameters of the regression, all in units of the scaled series. */
export type Parameters = { readonly trend: Trend; readonly betas: Float64Array }

/**
 * Sums over the observations from which the normal equations at some parameters follow. The
 * derivative of the fit by a parameter of the trend is a weight times a line in each piece, so that
 * a few sums of each piece do for all changepoints.
 */
export type Sums = {
  observations: number
  /** Sum of squared residuals. */
  squares: number
  /** Weight², weight² u, weight² u², weight · residual, weight · u · residual of each piece. */
  readonly pieces: Float64Array
  /** Weight · column and weight · u · column: piece by piece, two rows each. */
  readonly crossed: Float64Array
  /** Products of columns, the upper triangle, row-major. */
  readonly products: Float64Array
  /** Column · residual. */
  readonly residuals: Float64Array
}

export const pieceSums = 5

export function makeSums(pieces: number, columns: number): Sums {
  return {
    observations: 0,
    squares: 0,
    pieces: new Float64Array(pieces * pieceSums),
    crossed: new Float64Array(pieces * 2 * columns),
    products: new Float64Array(columns * columns),
    residuals: new Float64Array(columns),
  }
}

export function clearSums(sums: Sums): void {
  sums.observations = 0
  sums.squares = 0
  sums.pieces.fill(0)
  sums.crossed.fill(0)
  sums.products.fill(0)
  sums.residuals.fill(0)
}

/**
 * Adds some steps. `y` holds their scaled values, NaN where missing; `times` are scaled and
 * ascend. Features that multiply the trend are replaced by their derivatives.
 */
export function addRows(
  sums: Sums,
  { trend, betas }: Parameters,
  { times, features }: Rows,
  y: Float64Array,
  multiplicative: Uint8Array,
): void {
  const { starts, bases, rates } = piecesOf(trend)
  const { pieces, crossed, products, residuals } = sums
  const columns = betas.length
  const logistic = trend.growth === 'logistic'
  let g = 0
  for (let i = 0; i < y.length; i++) {
    const value = y[i]!
    if (Number.isNaN(value)) continue
    const t = times[i]!
    while (g + 1 < starts.length && starts[g + 1]! <= t) g++
    const u = t - starts[g]!
    const level = bend(trend, bases[g]! + rates[g]! * u)
    const row = i * columns
    let factor = 1
    let added = 0
    for (let j = 0; j < columns; j++) {
      const effect = features[row + j]! * betas[j]!
      if (multiplicative[j] === 1) {
        factor += effect
        features[row + j]! *= level
      } else {
        added += effect
      }
    }
    const residual = value - level * factor - added
    const weight = logistic ? factor * level * (1 - level / trend.capacity) : factor
    sums.observations++
    sums.squares += residual * residual
    const piece = g * pieceSums
    const bent = weight * weight
    pieces[piece]! += bent
    pieces[piece + 1]! += bent * u
    pieces[piece + 2]! += bent * u * u
    pieces[piece + 3]! += weight * residual
    pieces[piece + 4]! += weight * u * residual
    const plain = g * 2 * columns
    const sloped = plain + columns
    for (let j = 0; j < columns; j++) {
      const column = features[row + j]!
      // Holidays are zero nearly always.
      if (column === 0) continue
      crossed[plain + j]! += weight * column
      crossed[sloped + j]! += weight * u * column
      residuals[j]! += column * residual
      const product = j * columns
      for (let l = j; l < columns; l++) products[product + l]! += column * features[row + l]!
    }
  }
}
