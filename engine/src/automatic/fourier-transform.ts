/**
 * The discrete Fourier transform of a power of two of complex numbers, in place: Cooley and Tukey
 * (1965), radix 2. Twiddle factors are computed once a stage by a table of sines.
 */
function transform(real: Float64Array, imaginary: Float64Array): void {
  const size = real.length
  reverseBits(real, imaginary)
  const cosines = new Float64Array(size / 2)
  const sines = new Float64Array(size / 2)
  for (let k = 0; k < size / 2; k++) {
    cosines[k] = Math.cos((2 * Math.PI * k) / size)
    sines[k] = -Math.sin((2 * Math.PI * k) / size)
  }
  for (let half = 1; half < size; half *= 2) {
    const stride = size / (2 * half)
    for (let start = 0; start < size; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const c = cosines[k * stride]!
        const s = sines[k * stride]!
        const i = start + k
        const j = i + half
        const re = real[j]! * c - imaginary[j]! * s
        const im = real[j]! * s + imaginary[j]! * c
        real[j] = real[i]! - re
        imaginary[j] = imaginary[i]! - im
        real[i]! += re
        imaginary[i]! += im
      }
    }
  }
}

/** The squared moduli at the frequencies 0 … size/2 of a series padded with zeros. */
export function periodogram(x: Float64Array): Float64Array {
  let size = 2
  while (size < 2 * x.length) size *= 2
  const real = new Float64Array(size)
  const imaginary = new Float64Array(size)
  real.set(x)
  transform(real, imaginary)
  const power = new Float64Array(size / 2 + 1)
  for (let k = 0; k < power.length; k++) power[k] = real[k]! ** 2 + imaginary[k]! ** 2
  return power
}

function reverseBits(real: Float64Array, imaginary: Float64Array): void {
  const size = real.length
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i >= j) continue
    const re = real[i]!
    const im = imaginary[i]!
    real[i] = real[j]!
    imaginary[i] = imaginary[j]!
    real[j] = re
    imaginary[j] = im
  }
}
