/**
 * The lower triangular root of a positive matrix of `size` rows, each `stride` long, in place. A
 * direction that the others leave nothing of gets a huge pivot, which keeps its solution at zero.
 */
export function factorise(matrix: Float64Array, size: number, stride: number): void {
  for (let j = 0; j < size; j++) {
    const row = j * stride
    const diagonal = matrix[row + j]!
    let left = diagonal
    for (let k = 0; k < j; k++) left -= matrix[row + k]! * matrix[row + k]!
    const pivot = left > 1e-14 * Math.abs(diagonal) && left > 0 ? Math.sqrt(left) : 1e150
    matrix[row + j] = pivot
    for (let i = j + 1; i < size; i++) {
      const below = i * stride
      let sum = matrix[below + j]!
      for (let k = 0; k < j; k++) sum -= matrix[below + k]! * matrix[row + k]!
      matrix[below + j] = sum / pivot
    }
  }
}

/** Solves L x = b in place, for `width` right sides beside each other, row-major. */
export function solveLower(
  root: Float64Array,
  size: number,
  stride: number,
  b: Float64Array,
  width: number,
): void {
  for (let i = 0; i < size; i++) {
    const at = i * width
    for (let k = 0; k < i; k++) {
      const weight = root[i * stride + k]!
      if (weight === 0) continue
      for (let c = 0; c < width; c++) b[at + c]! -= weight * b[k * width + c]!
    }
    const pivot = root[i * stride + i]!
    for (let c = 0; c < width; c++) b[at + c]! /= pivot
  }
}

/** Solves L' x = b in place. */
export function solveUpper(
  root: Float64Array,
  size: number,
  stride: number,
  b: Float64Array,
): void {
  for (let i = size - 1; i >= 0; i--) {
    let sum = b[i]!
    for (let k = i + 1; k < size; k++) sum -= root[k * stride + i]! * b[k]!
    b[i] = sum / root[i * stride + i]!
  }
}
