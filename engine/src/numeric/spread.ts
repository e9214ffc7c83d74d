import { largest } from './magnitude.ts'

/**
 * The deviation of some errors with so many parameters taken from them, and their Gaussian
 * likelihood; the squares are of units of the largest error, so that none overflows.
 */
export function spreadOf(
  errors: Float64Array,
  parameters: number,
): { readonly deviation: number; readonly logLikelihood?: number } {
  const unit = largest(errors)
  if (unit === 0 || errors.length <= parameters) return { deviation: 0 }
  let squares = 0
  for (const error of errors) squares += (error / unit) * (error / unit)
  const deviation = unit * Math.sqrt(squares / (errors.length - parameters))
  const variance = Math.log(squares / errors.length) + 2 * Math.log(unit)
  const logLikelihood = -0.5 * errors.length * (Math.log(2 * Math.PI) + 1 + variance)
  return { deviation, logLikelihood }
}

/** What a report says of a likelihood; without the corrected criterion where it is not defined. */
export function criteria(logLikelihood: number, parameters: number, count: number) {
  const aic = 2 * parameters - 2 * logLikelihood
  const freedom = count - parameters - 1
  return {
    logLikelihood,
    aic,
    ...(freedom > 0 ? { aicc: aic + (2 * parameters * (parameters + 1)) / freedom } : {}),
    bic: parameters * Math.log(count) - 2 * logLikelihood,
  }
}
