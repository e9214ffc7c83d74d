import MultivariateLinearRegression from 'ml-regression-multivariate-linear'
import { columnsOf, type LinearModel, spreadOut } from './linear.ts'

/**
 * Least squares, of columns as `spreadOut` makes them. They are fitted in units of their deviations
 * from their means: the squares of years, which all but agree, would leave no digits. A column
 * that says nothing has no weight.
 */
export function fitLinear(
  columns: readonly Float64Array[],
  targets: Float64Array,
  widths: readonly number[],
): LinearModel {
  const width = columnsOf(widths)
  const rowAt = (row: number) =>
    spreadOut(
      Float64Array.from(columns, (column) => column[row]!),
      widths,
    )
  const { means, scales } = momentsOf(targets.length, width, rowAt)
  const x = Array.from(targets, (_, row) =>
    Array.from(rowAt(row), (value, i) => (value - means[i]!) / scales[i]!),
  )
  const y = Array.from(targets, (target) => [target])
  const { weights: found } = new MultivariateLinearRegression(x, y, { statistics: false })
  const weights = Float64Array.from(found, ([weight], i) => weight! / (scales[i] ?? 1))
  for (let i = 0; i < width; i++) weights[width]! -= weights[i]! * means[i]!
  return { kind: 'linear', weights }
}

/** Of each column its mean and its standard deviation, or 1 where that is none to speak of. */
function momentsOf(rows: number, width: number, rowAt: (row: number) => Float64Array) {
  const [means, scales] = [new Float64Array(width), new Float64Array(width)]
  for (let row = 0; row < rows; row++)
    for (const [i, value] of rowAt(row).entries()) means[i]! += value / rows
  for (let row = 0; row < rows; row++)
    for (const [i, value] of rowAt(row).entries()) scales[i]! += (value - means[i]!) ** 2 / rows
  for (const [i, square] of scales.entries()) {
    const scale = Math.sqrt(square)
    scales[i] = scale > 1e-9 * (1 + Math.abs(means[i]!)) ? scale : 1
  }
  return { means, scales }
}
