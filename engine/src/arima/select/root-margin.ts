import type { Arma } from '../parameters.ts'
import { arFromPartials, stepDown } from '../partials.ts'

/**
 * Whether every root of φ(B) Φ(Bˢ) lies further out than `margin` (a root of Φ(Bˢ) in B is an s-th
 * root). Such roots are those of a polynomial that is still stationary after its k-th coefficient
 * is multiplied by marginᵏ, so that none has to be found. Moving averages are not judged: one next
 * to a unit root undoes a difference, and the exact likelihood is sound there.
 */
export function isStationaryBeyond(arma: Arma, margin: number): boolean {
  const seasonal = Math.exp(arma.seasonLength * Math.log(margin))
  return isClear(arma.arPartials, margin) && isClear(arma.seasonalArPartials, seasonal)
}

function isClear(partials: Float64Array, margin: number): boolean {
  const coefficients = arFromPartials(partials)
  let power = 1
  for (let k = 0; k < coefficients.length; k++) {
    power *= margin
    coefficients[k] = coefficients[k]! * power
  }
  return stepDown(coefficients)
}
