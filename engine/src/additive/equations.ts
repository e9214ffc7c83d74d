import { type Parameters, pieceSums, type Sums } from './sums.ts'
import { piecesOf, type Trend } from './trend.ts'

/**
 * The normal equations at some parameters θ: the residual sum of squares at θ + d is about
 * squares - 2 d'slope + d'gram d, exactly so where the regression is linear. Parameters are
 * ordered: the rate k, the line z at time 0, the columns, the changes δ.
 */
export type Equations = {
  readonly size: number
  /** How many come before the changes. */
  readonly plain: number
  readonly observations: number
  readonly squares: number
  /** size × size, row-major, symmetric. */
  readonly gram: Float64Array
  readonly slope: Float64Array
}

export function equationsOf(sums: Sums, { trend, betas }: Parameters): Equations {
  const columns = betas.length
  const changes = trend.changepoints.length
  const plain = 2 + columns
  const size = plain + changes
  const { levels, tilts, pieces } = trendLines(trend)
  const gram = new Float64Array(size * size)
  const slope = new Float64Array(size)
  for (let p = 0; p < changes + 2; p++) {
    const row = p < 2 ? p : plain + p - 2
    for (let g = 0; g < pieces; g++) {
      const a = levels[p * pieces + g]!
      const b = tilts[p * pieces + g]!
      if (a === 0 && b === 0) continue
      const at = g * pieceSums
      const [s0, s1, s2] = [sums.pieces[at]!, sums.pieces[at + 1]!, sums.pieces[at + 2]!]
      slope[row]! += a * sums.pieces[at + 3]! + b * sums.pieces[at + 4]!
      for (let q = p; q < changes + 2; q++) {
        const c = levels[q * pieces + g]!
        const d = tilts[q * pieces + g]!
        const other = q < 2 ? q : plain + q - 2
        gram[row * size + other]! += a * c * s0 + (a * d + b * c) * s1 + b * d * s2
      }
      const from = g * 2 * columns
      for (let j = 0; j < columns; j++) {
        const product = a * sums.crossed[from + j]! + b * sums.crossed[from + columns + j]!
        // Columns come after the rate and the level, and before the changes.
        if (p < 2) gram[row * size + 2 + j]! += product
        else gram[(2 + j) * size + row]! += product
      }
    }
  }
  for (let j = 0; j < columns; j++) {
    slope[2 + j] = sums.residuals[j]!
    for (let l = j; l < columns; l++) {
      gram[(2 + j) * size + 2 + l] = sums.products[j * columns + l]!
    }
  }
  for (let i = 0; i < size; i++) {
    for (let j = i + 1; j < size; j++) gram[j * size + i] = gram[i * size + j]!
  }
  return { size, plain, observations: sums.observations, squares: sums.squares, gram, slope }
}

/** The derivative of z by each parameter of the trend: `levels` + `tilts` · u in each piece. */
function trendLines(trend: Trend) {
  const { starts } = piecesOf(trend)
  const pieces = starts.length
  const levels = new Float64Array((pieces + 1) * pieces)
  const tilts = new Float64Array((pieces + 1) * pieces)
  const { growth } = trend
  for (let g = 0; g < pieces; g++) {
    levels[g] = growth === 'flat' ? 0 : starts[g]!
    tilts[g] = growth === 'flat' ? 0 : 1
    levels[pieces + g] = 1
    for (let j = 1; j <= g; j++) {
      levels[(j + 1) * pieces + g] = starts[g]! - starts[j]!
      tilts[(j + 1) * pieces + g] = 1
    }
  }
  return { levels, tilts, pieces }
}
