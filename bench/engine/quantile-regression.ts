/**
 * Coefficients that make a share of the values lie below the line, by weighted least squares again
 * and again (Hunter and Lange 2000): the check function is majorised by a parabola at each round.
 */
export function quantileRegression(
  features: readonly (readonly number[])[],
  values: readonly number[],
  probability: number,
): number[] {
  const width = features[0]?.length ?? 0
  let beta = new Array<number>(width).fill(0)
  const near = 1e-3
  for (let round = 0; round < 200; round++) {
    const normal = Array.from({ length: width }, () => new Array<number>(width + 1).fill(0))
    for (const [i, x] of features.entries()) {
      const rest = values[i]! - dot(x, beta)
      const weight = 1 / (near + Math.abs(rest))
      const aim = values[i]! * weight + 2 * probability - 1
      for (let a = 0; a < width; a++) {
        for (let b = 0; b < width; b++) normal[a]![b]! += weight * x[a]! * x[b]!
        normal[a]![width]! += aim * x[a]!
      }
    }
    const next = solve(normal)
    const moved = next.reduce((most, value, k) => Math.max(most, Math.abs(value - beta[k]!)), 0)
    beta = next
    if (moved < 1e-6) break
  }
  return beta
}

function dot(x: readonly number[], beta: readonly number[]): number {
  return x.reduce((sum, value, k) => sum + value * beta[k]!, 0)
}

/**
 * Gauss and Jordan with pivots, on rows that carry their right side; a little ridge keeps it whole.
 */
function solve(rows: number[][]): number[] {
  const width = rows.length
  for (let k = 0; k < width; k++) rows[k]![k]! += 1e-9
  for (let k = 0; k < width; k++) {
    const best = rows.reduce(
      (at, _, i) => (i > k && pivot(rows, i, k) > pivot(rows, at, k) ? i : at),
      k,
    )
    const swapped = rows[k]!
    rows[k] = rows[best]!
    rows[best] = swapped
    for (let i = 0; i < width; i++) {
      if (i === k) continue
      const factor = rows[i]![k]! / rows[k]![k]!
      for (let j = k; j <= width; j++) rows[i]![j]! -= factor * rows[k]![j]!
    }
  }
  return rows.map((row, k) => row[width]! / row[k]!)
}

function pivot(rows: readonly number[][], i: number, k: number): number {
  return Math.abs(rows[i]![k]!)
}
