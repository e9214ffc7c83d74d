export type Slope = {
  /** Of the line of least squares, per unit of x. */
  readonly slope: number
  /** Half the width of its 95% confidence interval, by the spread of slopes of blocks. */
  readonly margin: number
}

/**
 * The line of least squares through points, and how sure its slope is. Samples of memory lean on
 * their neighbours, so the margin is not that of independent errors: blocks of neighbours are left
 * out in turn (the delete-a-block jackknife; Künsch 1989).
 */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): Slope {
  const slope = leastSquares(points)
  const size = Math.ceil(points.length / blocks)
  const without = Array.from({ length: blocks }, (_, block) =>
    leastSquares(points.filter((_, i) => Math.floor(i / size) !== block)),
  ).filter(Number.isFinite)
  const mean = without.reduce((sum, value) => sum + value, 0) / without.length
  const squares = without.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  const variance = ((without.length - 1) / without.length) * squares
  return { slope, margin: studentAt95 * Math.sqrt(variance) }
}

const blocks = 10
/** The 97.5% point of Student's t with `blocks - 1` degrees of freedom. */
const studentAt95 = 2.262

function leastSquares(points: readonly (readonly [number, number])[]): number {
  const n = points.length
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n
  const xy = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  const xx = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  return xy / xx
}
