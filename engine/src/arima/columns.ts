/**
 * The columns that explain a series, made orthonormal over its observed values, and the series less
 * its projection on them: so that later sums are of order one and lose nothing.
 */
export type ColumnBasis = {
  /** The rest of the series, and after it the orthonormal columns; zero for a dependent column. */
  readonly series: readonly Float64Array[]
  /** Upper triangular, row-major: column j is Σᵢ triangle[i, j] × orthonormal column i. */
  readonly triangle: Float64Array
  /** What the projection took, per orthonormal column. */
  readonly projection: Float64Array
  /** 1 for a column that others before it do not explain. */
  readonly independent: Uint8Array
  readonly observed: number
}

/** A basis of `columns`, as long as `w`; both are of moderate size. NaN in `w` is missing. */
export function makeColumnBasis(w: Float64Array, columns: readonly Float64Array[]): ColumnBasis {
  const count = columns.length
  const triangle = new Float64Array(count * count)
  const projection = new Float64Array(count)
  const independent = new Uint8Array(count)
  const seen = new Uint8Array(w.length)
  let observed = 0
  for (let t = 0; t < w.length; t++) if (!Number.isNaN(w[t]!)) observed += seen[t] = 1
  const basis: Float64Array[] = []
  columns.forEach((column, j) => {
    const own = column.slice()
    const before = norm(own, seen)
    // A second pass takes away what rounding of the first has left.
    for (let pass = 0; pass < 2; pass++) {
      basis.forEach((other, i) => {
        if (independent[i] === 0) return
        const share = product(own, other, seen)
        triangle[i * count + j]! += share
        addTimes(own, other, -share)
      })
    }
    const left = norm(own, seen)
    if (left > dependentBelow * before) {
      independent[j] = 1
      triangle[j * count + j] = left
      for (let t = 0; t < own.length; t++) own[t]! /= left
    } else {
      own.fill(0)
    }
    basis.push(own)
  })
  const rest = w.slice()
  for (let pass = 0; pass < 2; pass++) {
    basis.forEach((column, j) => {
      const share = product(rest, column, seen)
      projection[j]! += share
      addTimes(rest, column, -share)
    })
  }
  return { series: [rest, ...basis], triangle, projection, independent, observed }
}

/** The coefficients of the columns from those of the basis (beyond the projection). */
export function columnCoefficients(basis: ColumnBasis, beyond: Float64Array): Float64Array {
  const { triangle, projection, independent } = basis
  const count = projection.length
  const beta = new Float64Array(count)
  for (let j = count - 1; j >= 0; j--) {
    if (independent[j] === 0) continue
    let sum = projection[j]! + beyond[j]!
    for (let k = j + 1; k < count; k++) sum -= triangle[j * count + k]! * beta[k]!
    beta[j] = sum / triangle[j * count + j]!
  }
  return beta
}

/** The inverse of `columnCoefficients`. */
export function basisCoefficients(basis: ColumnBasis, beta: Float64Array): Float64Array {
  const { triangle, projection } = basis
  const count = projection.length
  return projection.map((taken, i) => {
    let sum = -taken
    for (let j = i; j < count; j++) sum += triangle[i * count + j]! * beta[j]!
    return sum
  })
}

/** The part of a column beyond the others, below which it is one of them. */
const dependentBelow = 1e-9

function product(a: Float64Array, b: Float64Array, seen: Uint8Array): number {
  let sum = 0
  for (let t = 0; t < a.length; t++) if (seen[t] === 1) sum += a[t]! * b[t]!
  return sum
}

function norm(a: Float64Array, seen: Uint8Array): number {
  return Math.sqrt(product(a, a, seen))
}

function addTimes(a: Float64Array, b: Float64Array, factor: number): void {
  for (let t = 0; t < a.length; t++) a[t]! += factor * b[t]!
}
